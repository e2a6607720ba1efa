"""Cohere's chat, version 2, which only providers speak."""
