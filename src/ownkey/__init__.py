"""Ownkey: a self-hosted gateway for language models where every user brings their own keys."""

from importlib.metadata import version

__version__ = version("ownkey")
