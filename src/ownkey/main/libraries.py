"""Loads once, in a process of their own, the libraries that the server itself imports when they are first needed.

An idle server does without their memory (numpy alone takes 15 MB). Without this check a missing or damaged one would
show up at the first password, page, import or comparison, instead of at the start.
"""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from ownkey.workbench.graders.schema_workers import child_environment

LATE = ("argon2", "jinja2", "jsonschema_rs", "numpy", "re2", "yaml")

_LOAD = """
import sys
for name in sys.argv[1:]:
    try:
        __import__(name)
    except Exception as error:
        sys.exit(f"{name} ({error})")
"""


class BrokenLibrary(Exception):
    """A library cannot be loaded; the text says which, why, and what to do."""


@asynccontextmanager
async def libraries_loading() -> AsyncGenerator[Callable[[], Awaitable[None]]]:
    """Begin to load them, concurrently with the rest of the start. What is yielded waits for the end, and raises
    BrokenLibrary."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-c", _LOAD, *LATE, stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE, env=child_environment()
    )

    async def loaded() -> None:
        _, complaint = await process.communicate()
        if process.returncode:
            why = complaint.decode(errors="replace").strip().splitlines()[-1:] or [f"status {process.returncode}"]
            raise BrokenLibrary(f"a library cannot be loaded: {why[0]}. Install Ownkey again with its dependencies")

    try:
        yield loaded
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
