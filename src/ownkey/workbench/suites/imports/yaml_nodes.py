"""YAML with the place of every value, read from the parser's events.

Nothing is constructed by the library: no tag has an effect, and an alias costs what it expands to, counted before
anything could expand it. Plain words mean what YAML 1.2's core schema says (`yes` and dates are texts), as in
js-yaml, with which promptfoo reads; merge keys (`<<`) are understood.
"""

import math
import re
from collections.abc import Callable

import yaml
from msgspec import Struct

from ownkey.workbench.suites.imports.decoding import LineTable
from ownkey.workbench.suites.imports.json_nodes import MOST_DIGITS
from ownkey.workbench.suites.imports.model import ImportLimits, SuiteRejected, quoted, refused
from ownkey.workbench.suites.imports.nodes import Node, Scalar, as_items, storable

_NULL = {"", "~", "null", "Null", "NULL"}
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


class _Open:
    """A list or object that is not closed yet. `size` and `height` count its values and levels, aliases expanded."""

    __slots__ = ("anchor", "height", "holder", "key", "merges", "merging", "node", "size")

    def __init__(self, node: Node, holder: "list[Node] | dict[str, Node]", anchor: str | None) -> None:
        self.node, self.holder, self.anchor = node, holder, anchor
        self.key: Node | None = None
        self.merges: list[Node] = []
        self.merging = False
        self.size, self.height = 1, 1


class _Anchored(Struct, frozen=True):
    node: Node
    size: int
    height: int


def yaml_document(text: str, limits: ImportLimits) -> Node:
    """The one document of a YAML text."""
    place = LineTable(text).at
    builder = _Builder(place, limits)
    loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
    try:
        for event in yaml.parse(text, Loader=loader):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = place(min(mark.index, len(text))) if mark else (0, None)
        why = ", ".join(part for part in (error.context, error.problem) if part)
        raise refused(line, column, f"The YAML is not valid: {why}.") from None
    except yaml.reader.ReaderError as error:
        # libyaml counts bytes where the other parser counts characters.
        before = text.encode()[: error.position].decode(errors="ignore") if yaml.__with_libyaml__ else ""
        offset = len(before) if yaml.__with_libyaml__ else error.position
        raise refused(
            *place(offset), "The YAML is not valid: it holds a control character that YAML does not allow; remove it."
        ) from None
    except UnicodeEncodeError as error:
        raise refused(*place(error.start), "The text holds half of a surrogate pair; remove it.") from None
    if builder.root is None:
        raise refused(0, None, "The YAML document is empty.")
    return builder.root


class _Builder:
    """Puts events together to nodes."""

    def __init__(self, place: Callable[[int], tuple[int, int]], limits: ImportLimits) -> None:
        self._place, self._limits = place, limits
        self._open: list[_Open] = []
        self._anchors: dict[str, _Anchored] = {}
        self._spent = 0
        self.root: Node | None = None

    def take(self, event: yaml.Event) -> None:
        match event:
            case yaml.ScalarEvent():
                self._scalar(event)
            case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                self._start(event)
            case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                self._end()
            case yaml.AliasEvent():
                self._alias(event)
            case yaml.DocumentStartEvent() if self.root is not None:
                raise self._refused(event, "A second YAML document begins here; put each suite in a file of its own.")
            case _:
                pass

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        self._no_tag(event, event.tag)
        line, column = self._at(event)
        text = storable(event.value, line, column)
        key = self._awaits_key()
        value = text if key or not event.implicit[0] else _resolved(text, line, column)
        node = Node(value, line, column)
        self._spend(event, 1)
        if event.anchor and not key:
            self._anchors[event.anchor] = _Anchored(node, 1, 0)
        if key:
            self._take_key(node, merges=event.implicit[0] and text == "<<")
        else:
            self._put(node, 1, 0)

    def _start(self, event: "yaml.SequenceStartEvent | yaml.MappingStartEvent") -> None:
        self._no_tag(event, event.tag)
        if self._awaits_key():
            raise self._refused(event, "A key must be a plain text; a list or object cannot be one.")
        self._deep_enough(event, 1)
        self._spend(event, 1)
        line, column = self._at(event)
        holder: list[Node] | dict[str, Node] = [] if isinstance(event, yaml.SequenceStartEvent) else {}
        self._open.append(_Open(Node(holder, line, column), holder, event.anchor))

    def _end(self) -> None:
        done = self._open.pop()
        if isinstance(done.holder, dict):
            for source in done.merges:
                for key, value in source.object("A merged value").items():
                    done.holder.setdefault(key, value)
        if done.anchor:
            self._anchors[done.anchor] = _Anchored(done.node, done.size, done.height)
        self._put(done.node, done.size, done.height)

    def _alias(self, event: yaml.AliasEvent) -> None:
        if self._awaits_key():
            raise self._refused(event, "A key must be a plain text; an alias cannot be one.")
        found = self._anchors.get(event.anchor or "")
        if found is None:
            raise self._refused(event, f"The alias *{event.anchor} stands before its anchor is complete, or has none.")
        self._deep_enough(event, found.height)
        self._spend(event, found.size)
        self._put(found.node, found.size, found.height)

    def _put(self, node: Node, size: int, height: int) -> None:
        if not self._open:
            self.root = node
            return
        frame = self._open[-1]
        frame.size += size
        frame.height = max(frame.height, height + 1)
        if isinstance(frame.holder, list):
            frame.holder.append(node)
            return
        key, frame.key = frame.key, None
        if key is None:
            return
        if frame.merging:
            frame.merges += as_items(node)
            frame.merging = False
        else:
            frame.holder[str(key.value)] = node

    def _take_key(self, key: Node, *, merges: bool) -> None:
        frame = self._open[-1]
        frame.size += 1
        frame.merging = merges
        name = str(key.value)
        if not merges and isinstance(frame.holder, dict) and name in frame.holder:
            earlier = frame.holder[name].line
            raise key.refuse(f"The key {quoted(name)} is here twice; its first value is in line {earlier}.")
        frame.key = key

    def _awaits_key(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1].holder, dict) and self._open[-1].key is None

    def _deep_enough(self, event: yaml.Event, height: int) -> None:
        if len(self._open) + height > self._limits.max_depth:
            raise self._refused(
                event, f"Lists and objects stand more than {self._limits.max_depth} deep in each other; flatten them."
            )

    def _spend(self, event: yaml.Event, size: int) -> None:
        self._spent += size
        if self._spent > self._limits.max_nodes:
            raise self._refused(
                event,
                f"The document holds more than {self._limits.max_nodes:,} values once its aliases are expanded; "
                "write fewer or split it.",
            )

    def _no_tag(self, event: yaml.Event, tag: str | None) -> None:
        if tag is not None:
            raise self._refused(event, f"The tag {quoted(tag)} is not accepted; remove it, or put the value in quotes.")

    def _at(self, event: yaml.Event) -> tuple[int, int]:
        return self._place(event.start_mark.index if event.start_mark else 0)

    def _refused(self, event: yaml.Event, message: str) -> SuiteRejected:
        return refused(*self._at(event), message)


def _resolved(text: str, line: int, column: int) -> Scalar:
    """What an unquoted scalar means in the core schema."""
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _INT.fullmatch(text):
        if len(text) > MOST_DIGITS + 1:
            raise refused(line, column, "The number has too many digits; put it in quotes as a text.")
        return int(text, 0) if text[:2] in {"0o", "0x"} else int(text)
    if _FLOAT.fullmatch(text) and len(text) <= MOST_DIGITS + 12:
        value = float(text)
        if math.isfinite(value):
            return value
    if _FLOAT.fullmatch(text) or _NOT_FINITE.fullmatch(text):
        raise refused(line, column, f"The number {quoted(text)} is not finite or too long; put it in quotes as a text.")
    return text
