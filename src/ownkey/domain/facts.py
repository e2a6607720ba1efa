"""What single providers and models refuse, rename, exclude and require of a request, as data.

A provider's file holds rows (`FactRow`), each for some models and formats, with its source and date. All rows that
apply to one model in one format become one `Facts`. Rows never override each other: two that state the same fact
differently for the same model are an error when the catalogue is loaded.

Fields bear OpenAI's chat names where one exists (`temperature`, `max_tokens`, `stop`), whatever the format calls them;
a field that only one format has is written as its path there (`messages.reasoning_content`).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from fnmatch import fnmatchcase
from itertools import combinations
from typing import Any, Literal, cast

from msgspec import Struct
from msgspec.structs import fields

from ownkey.domain.formats import WireFormat

Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]


class ThinkingFacts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a model is asked to think; no `ways` means that it cannot be asked at all.

    `least` and `most` bound a budget in tokens. `off` is whether thinking can be turned off. `levels` are the efforts
    that the model accepts; none stated means all.
    """

    ways: tuple[Literal["budget", "adaptive", "between_tools", "level"], ...] = ()
    least: int | None = None
    most: int | None = None
    off: bool = True
    levels: tuple[Effort, ...] = ()


class SchemaFacts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The dialect of JSON Schema that a provider accepts for a tool's parameters.

    `ref_siblings`: keys that do not begin with `$` may stand beside `$ref`. `refs`: `$ref` is known at all; otherwise
    schemas are inlined. `root_combinations`: the root may hold `anyOf`, `oneOf` or `allOf`. `root_type`: the root must
    state `type: object`. `additional_properties`: the keyword is accepted. `strict_is_complete`: a schema that is
    called strict must close every object and require all its properties.
    """

    ref_siblings: bool = True
    refs: bool = True
    root_combinations: bool = True
    root_type: bool = False
    additional_properties: bool = True
    strict_is_complete: bool = False


class Facts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known of one model at one provider in one format. None and empty values mean that nothing is known."""

    refuses: tuple[str, ...] = ()
    """Fields that are rejected, as paths: `user`, `stream_options`, `messages.reasoning_content`."""
    knows: tuple[str, ...] = ()
    """All top-level fields of the format's own spelling that are accepted: any other is rejected."""
    knows_in_messages: dict[str, tuple[str, ...]] = {}
    """The same for the messages of a role."""
    developer_role: bool | None = None
    """Whether the role `developer` is known beside `system`."""
    renames: dict[str, str] = {}
    """Fields that are accepted under another name only."""
    fixed: dict[str, float] = {}
    """Sampling fields of which only this value, the default, is accepted."""
    one_of: tuple[tuple[str, ...], ...] = ()
    """Groups of fields of which only one may be set; the first is kept."""
    beside_thinking: dict[str, tuple[float, float]] = {}
    """Fields bounded to a range while the model thinks; a range whose end is below its start admits no value."""
    refused_versions: dict[str, tuple[str, ...]] = {}
    """Fields that are rejected from this version of the API on (`anthropic-version`)."""
    thinking: ThinkingFacts | None = None
    forced_tool_beside_thinking: bool | None = None
    tool_choices: tuple[Literal["none", "auto", "required", "named", "allowed"], ...] = ()
    """The kinds of tool choice that are known; none stated means all of the format."""
    tool_kinds: tuple[str, ...] = ()
    """The kinds of tools (`type`) that are known; none stated means all of the format."""
    tool_name_alphabet: str | None = None
    """A regular expression of one allowed character of a tool's name."""
    tool_name_first: str | None = None
    """The same of the first character, where not all may come first."""
    longest_tool_name: int | None = None
    most_tools: int | None = None
    parallel_tool_calls: bool | None = None
    """Whether one call at a time can be asked for."""
    schema: SchemaFacts | None = None
    json_modes: tuple[Literal["object", "schema"], ...] | None = None
    """How JSON can be asked for; empty: not at all."""
    json_word: bool | None = None
    """Whether the mode `json_object` demands that a message holds the word "json"."""
    prefill: bool | None = None
    """Whether a last message of the assistant's is continued; False: it is rejected."""
    prefill_mark: str | None = None
    """The field that a last message of the assistant's must have, as true, to be continued."""
    call_id_length: int | None = None
    """Ids of tool calls must be this many letters and digits."""
    user_after_tool: bool | None = None
    """Whether a user's message may follow a tool's result directly."""
    default_output: int | None = None
    """Tokens of output to ask for where the format requires a limit and the client names none."""
    largest_output: int | None = None
    interfaces: tuple[WireFormat, ...] = ()
    """The formats in which this model is served, where the provider has more."""
    stream_usage: Literal["always", "asked", "never"] | None = None
    """Whether a stream reports usage unasked, only on asking (`stream_options`), or never."""
    media_types: tuple[str, ...] = ()
    media_aliases: dict[str, str] = {}
    """Media types that are rejected, and the name under which the same type is accepted."""
    reasoning_replay: Literal["returned", "details", "refused"] | None = None
    """Whether the reasoning of earlier answers comes back with them, as text (`reasoning_content`) or whole
    (`reasoning_details`), or is rejected."""


NO_FACTS = Facts()


class FactRow(Facts, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Facts of some models, with where they are stated (`source`) and when that was read (`date`, ISO 8601).

    `models` and `but_not` are patterns (fnmatch) of the provider's own model ids; a vendor's prefix before the id
    (`anthropic/`, `eu.anthropic.`) does not count. Without `formats` the row holds for every format.
    """

    source: str
    date: str
    models: tuple[str, ...] = ("*",)
    but_not: tuple[str, ...] = ()
    formats: tuple[WireFormat, ...] = ()

    def applies(self, model: str, format_: WireFormat) -> bool:
        if self.formats and format_ not in self.formats:
            return False
        return _matches(model, self.models) and not _matches(model, self.but_not)


class FactsError(ValueError):
    """Rows that cannot be used; the text names the rows and the fact."""


_FACTS = tuple(field.name for field in fields(Facts))
_PREFIX = re.compile(r"(?:[^/]*/)*(?:[a-z-]+\.)*")


def _matches(model: str, patterns: Iterable[str]) -> bool:
    bare = _PREFIX.sub("", model, count=1)
    return any(fnmatchcase(model, pattern) or fnmatchcase(bare, pattern) for pattern in patterns)


def facts_of(rows: Sequence[FactRow], model: str, format_: WireFormat) -> Facts:
    """All that `rows` state of a model in a format."""
    applying = [row for row in rows if row.applies(model, format_)]
    if not applying:
        return NO_FACTS
    merged: dict[str, Any] = {}
    for row in applying:
        for name, value in stated(row).items():
            merged[name] = _joined(merged[name], value) if name in merged else value
    return Facts(**merged)


class FactSheet:
    """The facts of one model at one provider, by format; kept once they are worked out."""

    __slots__ = ("_kept", "_model", "_rows")

    def __init__(self, rows: Sequence[FactRow], model: str) -> None:
        self._rows = rows
        self._model = model
        self._kept: dict[WireFormat, Facts] = {}

    def in_format(self, format_: WireFormat) -> Facts:
        facts = self._kept.get(format_)
        if facts is None:
            facts = self._kept[format_] = facts_of(self._rows, self._model, format_)
        return facts


NO_SHEET = FactSheet((), "")


def stated(row: FactRow) -> dict[str, Any]:
    """The facts that a row states, by name."""
    nothing = NO_FACTS
    return {name: value for name in _FACTS if (value := getattr(row, name)) != getattr(nothing, name)}


def _joined(one: Any, other: Any) -> Any:
    """Lists and tables of several rows add up."""
    if isinstance(one, tuple):
        return tuple(dict.fromkeys((*cast("tuple[Any, ...]", one), *other)))
    return cast("dict[str, Any]", one) | other if isinstance(one, dict) else other


_ADDITIVE = frozenset({"refuses", "one_of"})
"""Lists of which every row may state a part; every other list is stated whole."""


def check_rows(rows: Sequence[FactRow]) -> None:
    """Raises FactsError for a row without a source or date, and for rows that contradict themselves or each other."""
    for number, row in enumerate(rows, 1):
        _check_row(f"facts[{number}]", row)
    for (one, first), (other, second) in combinations(enumerate(rows, 1), 2):
        if _overlap(first, second):
            _check_pair(f"facts[{one}] ({', '.join(first.models)})", first, f"facts[{other}]", second)


def _check_row(place: str, row: FactRow) -> None:
    if not row.source.strip():
        raise FactsError(f"{place}.source: is empty; name where the fact is stated")
    try:
        date.fromisoformat(row.date)
    except ValueError:
        raise FactsError(f"{place}.date: {row.date!r} must be a date such as 2026-11-30") from None
    if not row.models:
        raise FactsError(f"{place}.models: is empty; leave it out for all models")
    for pattern in (*row.models, *row.but_not):
        if not pattern or set(pattern) & set("?[]"):
            raise FactsError(f"{place}: the pattern {pattern!r} must be a model's id, in which only * is special")
    if not stated(row):
        raise FactsError(f"{place}: states no fact")
    _check_consistent(place, row)
    thinking = row.thinking
    if thinking is not None and (thinking.least or 0) > (thinking.most if thinking.most is not None else 10**9):
        raise FactsError(f"{place}.thinking: `least` is above `most`")
    if (row.default_output or 0) > (row.largest_output or 10**9):
        raise FactsError(f"{place}: `default_output` is above `largest_output`")
    if row.tool_name_alphabet is not None:
        try:
            re.compile(row.tool_name_alphabet)
        except re.error as error:
            raise FactsError(f"{place}.tool_name_alphabet: {error}") from None


def _check_consistent(place: str, facts: Facts) -> None:
    """What the merged facts of one model may not say, whether in one row or in two."""
    refused = set(facts.refuses)
    for what, names in (
        ("`knows` and `refuses`", refused & set(facts.knows)),
        ("`refuses` and `renames`", refused & {*facts.renames, *facts.renames.values()}),
        ("`refuses` and `fixed`", refused & set(facts.fixed)),
        ("`media_types` and `media_aliases`", set(facts.media_types) & set(facts.media_aliases)),
    ):
        if names:
            raise FactsError(f"{place}: {what} contradict each other about {min(names)!r}")
    if facts.stream_usage == "asked" and "stream_options" in refused:
        raise FactsError(f"{place}: `stream_usage` and `refuses` contradict each other about 'stream_options'")


def _check_pair(place: str, first: FactRow, other: str, second: FactRow) -> None:
    once, again = stated(first), stated(second)
    for name in once.keys() & again.keys():
        one, two = once[name], again[name]
        if isinstance(one, dict):
            differing = [key for key in one.keys() & two.keys() if one[key] != two[key]]
            if differing:
                raise FactsError(f"{place} and {other} contradict each other about {name}.{min(differing)}")
        elif name not in _ADDITIVE and one != two:
            text = "state it in one of them, or keep the models apart with `but_not`"
            raise FactsError(f"{place} and {other} contradict each other about {name}: {text}")
    merged: Mapping[str, Any] = once | {
        name: _joined(once[name], value) if name in once else value for name, value in again.items()
    }
    _check_consistent(f"{place} and {other}", Facts(**merged))


def _overlap(first: FactRow, second: FactRow) -> bool:
    """Whether some model and format may come under both rows."""
    if first.formats and second.formats and not set(first.formats) & set(second.formats):
        return False
    return any(
        _share_a_name(one, other)
        and not any(fnmatchcase(one, pattern) for pattern in second.but_not)
        and not any(fnmatchcase(other, pattern) for pattern in first.but_not)
        for one in first.models
        for other in second.models
    )


def _share_a_name(one: str, other: str) -> bool:
    """Whether two patterns of literal characters and `*` match a common text."""
    if not one or not other:
        return not (one or other).strip("*")
    if one[0] == "*":
        return _share_a_name(one[1:], other) or _share_a_name(one, other[1:])
    if other[0] == "*":
        return _share_a_name(other, one)
    return one[0] == other[0] and _share_a_name(one[1:], other[1:])
