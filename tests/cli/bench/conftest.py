"""A folder and a sandbox for the benchmark."""

from tests.cli.workbench.shell import shell

__all__ = ["shell"]
