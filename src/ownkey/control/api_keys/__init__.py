"""Ownkey's own API keys for apps and scripts."""
