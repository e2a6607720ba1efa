"""Reading secrets without leaving them in the shell's history or the process list."""

import sys

import typer

from ownkey.cli.client import CommandFailed


def read_secret(prompt: str) -> str:
    """From the terminal without echo, or the first line of standard input when that is a pipe."""
    text = typer.prompt(prompt, hide_input=True) if sys.stdin.isatty() else sys.stdin.readline()
    text = str(text).strip()
    if not text:
        raise CommandFailed(f"no {prompt.lower()} was given")
    return text
