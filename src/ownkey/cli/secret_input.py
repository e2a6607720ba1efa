"""Reading secrets without leaving them in the shell's history or the process list."""

import sys

import typer

from ownkey.cli.failures import CommandFailed


def read_secret(prompt: str) -> str:
    """From the terminal without echo, or the first line of standard input when that is a pipe."""
    text = _ask(prompt) if sys.stdin.isatty() else _first_line()
    text = text.strip()
    if not text:
        raise CommandFailed(f"no {prompt[0].lower()}{prompt[1:]} was given on standard input")
    return text


def _ask(prompt: str) -> str:
    # On standard error, because standard output may be captured for the key that is made.
    return str(typer.prompt(prompt, hide_input=True, err=True))


def _first_line() -> str:
    try:
        return sys.stdin.buffer.readline().decode("utf-8")
    except UnicodeDecodeError:
        raise CommandFailed("standard input is not UTF-8 text") from None
