"""Ollama's own chat, which only providers speak."""
