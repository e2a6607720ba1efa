"""What an import has collected so far: prompts with their tags, problems and notes, within the limits."""

import re
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager

from ownkey.workbench.graders.schema_workers import SchemaWorkers
from ownkey.workbench.records import Check, Prompt
from ownkey.workbench.suites.imports.model import MOST_TOLD, ImportLimits, Problem, SuiteRejected, quoted
from ownkey.workbench.suites.imports.nodes import Node, as_items, written

MOST_NOTES = 20
_ID_CHARACTERS = 200


class Gathering:
    """Readers put prompts in one by one, and stop when it is `full`."""

    def __init__(self, limits: ImportLimits, schemas: SchemaWorkers) -> None:
        self.limits = limits
        self.schemas = schemas
        self.prompts: list[Prompt] = []
        self.full = False
        self._problems: list[Problem] = []
        self._more = 0
        self._faulty = 0
        self._notes: dict[str, None] = {}
        self._lines: dict[str, int] = {}
        self._characters = 0
        self._sizes: dict[int, tuple[object, int]] = {}

    def note(self, text: str) -> None:
        """Say something once, however many prompts it concerns."""
        if len(self._notes) < MOST_NOTES:
            self._notes[text] = None

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(self._notes)

    @contextmanager
    def record(self) -> Generator[None]:
        """Inside, a fault ends this record only; the next ones are still read, to report all errors together.

        Faulty records count against the limit of prompts too, so that a file of nothing else ends early.
        """
        try:
            yield
        except SuiteRejected as fault:
            self._take(fault)
            self._faulty += 1
            self.full = self.full or len(self.prompts) + self._faulty > self.limits.max_prompts

    def add(self, prompt: Prompt, line: int) -> None:
        """Take a prompt that begins in `line`.

        Raises:
            SuiteRejected: its id is taken or unusable, it is blank or too long.
        """
        if len(self.prompts) >= self.limits.max_prompts:
            self._stop(
                line,
                f"This is prompt {self.limits.max_prompts + 1:,}; a suite has at most {self.limits.max_prompts:,}.",
            )
            return
        self._check_id(prompt.id, line)
        length = sum(len(message.content) for message in prompt.messages)
        if length > self.limits.max_prompt_characters:
            raise _at(
                line,
                f"The prompt has {length:,} characters; at most {self.limits.max_prompt_characters:,} are accepted.",
            )
        if not any(message.content.strip() for message in prompt.messages if message.role == "user"):
            raise _at(line, "The prompt is blank; give it a text.")
        if len(prompt.checks) > self.limits.max_checks:
            raise _at(
                line, f"The prompt has {len(prompt.checks):,} checks; at most {self.limits.max_checks:,} are accepted."
            )
        self._characters += length + sum(self._size(check) for check in prompt.checks) + len(prompt.reference or "")
        if self._characters > self.limits.max_characters:
            self._stop(line, f"Up to here the suite has more than {self.limits.max_characters:,} characters; split it.")
            return
        self.prompts.append(prompt)

    def finish(self) -> tuple[Prompt, ...]:
        """The prompts.

        Raises:
            SuiteRejected: anything was wrong, or there is no prompt.
        """
        if self._problems:
            raise SuiteRejected(self._problems, self._more)
        if not self.prompts:
            raise _at(0, "The file holds no prompts; a suite needs at least one.")
        return tuple(self.prompts)

    def _check_id(self, name: str, line: int) -> None:
        if not name or len(name) > _ID_CHARACTERS or not name.isprintable():
            raise _at(line, f"The id {quoted(name)} must have 1 to {_ID_CHARACTERS} printable characters.")
        if name in self._lines:
            raise _at(
                line, f"The id {quoted(name)} is taken by the prompt in line {self._lines[name]}; ids must differ."
            )
        self._lines[name] = line

    def _size(self, check: Check) -> int:
        """Characters of a check's value. One object shared by many prompts is measured once, and counted for each."""
        value: object = check.value
        if isinstance(value, str):
            return len(value)
        if value is None or isinstance(value, int | float):
            return 0
        known = self._sizes.get(id(value))
        if known is None:
            # The value is kept beside its size, so that its identity is not given to another one.
            known = self._sizes[id(value)] = (value, len(str(value)))
        return known[1]

    def _stop(self, line: int, message: str) -> None:
        self._take(_at(line, message))
        self.full = True

    def _take(self, fault: SuiteRejected) -> None:
        room = MOST_TOLD - len(self._problems)
        self._problems += fault.problems[:room]
        self._more += max(0, len(fault.problems) - room) + fault.more


def _at(line: int, message: str) -> SuiteRejected:
    return SuiteRejected((Problem(line, None, message),))


MOST_TAGS = 20
_LONGEST = 100
_SEPARATOR = re.compile(r"[,;]")


def tags_of(node: Node) -> tuple[str, ...]:
    """A list of texts, or one text with commas or semicolons between the tags."""
    if isinstance(node.value, str):
        return _accepted(node, _SEPARATOR.split(node.value))
    return _accepted(node, [item.written("A tag") for item in as_items(node) if not item.is_absent])


def metadata_tags(metadata: Mapping[str, Node], gathering: Gathering) -> tuple[str, ...]:
    """`key:value` for each value; those under the key `tags` stand alone. Nested objects are left out, and noted."""
    found: list[str] = []
    last: Node | None = None
    for key, node in metadata.items():
        for item in as_items(node):
            last = item
            if isinstance(item.value, list | dict):
                gathering.note(f"The metadata {quoted(key)} holds objects or lists in lists and was left out.")
            elif item.value is not None:
                found.append(written(item.value) if key == "tags" else f"{key}:{written(item.value)}")
    return _accepted(last, found) if last is not None else ()


def _accepted(node: Node, texts: Iterable[str]) -> tuple[str, ...]:
    tags = tuple(dict.fromkeys(text.strip() for text in texts if text.strip()))
    if len(tags) > MOST_TAGS:
        raise node.refuse(f"The prompt has {len(tags)} tags; at most {MOST_TAGS} are accepted.")
    for tag in tags:
        if len(tag) > _LONGEST:
            raise node.refuse(f"The tag {quoted(tag)} has more than {_LONGEST} characters.")
    return tags
