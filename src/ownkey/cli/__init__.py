"""The command line: thin over the REST API, or over the library where it concerns this machine."""

from ownkey.cli.app import main

__all__ = ["main"]
