"""`regex`, by RE2: the time is linear in the answer, whatever the pattern.

RE2 has no look-around and no back-references; a pattern with them is refused when the suite is read. What it costs is
the size of the compiled pattern times the length of the answer, which `MAX_WORK` bounds (about two seconds on one core,
with the interpreter's lock released meanwhile).
"""

from typing import Any

from ownkey.workbench.graders.finding import Answer, BadCheck, Finding, Ungradable, shown
from ownkey.workbench.records import Check

MAX_PATTERN = 2000
"""Characters of a pattern."""

MAX_WORK = 500_000_000
"""RE2 instructions times bytes of the answer."""

_MEMORY = 1 << 20
"""Bytes for one compiled pattern and its states."""


def read_pattern(check: Check) -> Any:
    """The compiled pattern. Raises BadCheck with RE2's own words."""
    import re2

    engine: Any = re2
    pattern = check.value
    if not isinstance(pattern, str) or not pattern:
        raise BadCheck(f"{check.type} needs a value: the pattern, as a text.")
    if pattern.startswith("file://"):
        raise BadCheck(f"{check.type} takes its value from a file, which is never read. Write the pattern itself.")
    if len(pattern) > MAX_PATTERN:
        raise BadCheck(f"{check.type} has a pattern of {len(pattern)} characters; at most {MAX_PATTERN} are allowed.")
    options = engine.Options()
    options.log_errors, options.never_capture, options.max_mem = False, True, _MEMORY
    try:
        return engine.compile(pattern.encode("utf-8", "replace"), options=options)
    except engine.error as error:
        said: Any = error.args[0]
        why = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        raise BadCheck(
            f"{check.type} has a pattern that RE2 does not take: {why[:200]}. "
            "Look-around and back-references have no linear-time form; say it without them."
        ) from error


def regex(pattern: Any, answer: Answer) -> Finding:
    """Found anywhere in the answer; anchor the pattern with `^` and `$` for the whole."""
    data = answer.text.encode("utf-8", "replace")
    if pattern.programsize * len(data) > MAX_WORK:
        raise Ungradable(f"the pattern is too large for an answer of {len(data)} bytes; make it simpler")
    found = pattern.search(data) is not None
    source: str = pattern.pattern.decode("utf-8")
    return Finding(found, f"the answer {'matches' if found else 'does not match'} {shown(source)}")
