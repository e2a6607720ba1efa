"""A folder and a sandbox for the workbench's commands."""

from tests.cli.workbench.shell import shell

__all__ = ["shell"]
