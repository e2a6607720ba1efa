"""Trying provider keys, stored or not."""
