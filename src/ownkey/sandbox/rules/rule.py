"""What a rule is, and the small questions that rules ask of a request."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, TypeAlias, cast

from msgspec import Struct

from ownkey.domain.formats import WireFormat
from ownkey.sandbox.errors import Problem

Json: TypeAlias = dict[str, Any]
Words: TypeAlias = Mapping[str, Any]
"""What the vendor's message says of this request: the fields of the template `Problem.message`, and of `param`."""

_CHAT = WireFormat.OPENAI_CHAT


class Asked(Struct, frozen=True):
    """A request as a rule sees it. `input_tokens` is the size of the prompt, `version` the `anthropic-version`."""

    body: Json
    model: str
    input_tokens: int = 0
    version: str = ""


class Rule(Struct, frozen=True, kw_only=True):
    """One thing that a vendor refuses, with where that is stated (`source`) and when it was read (`date`).

    It holds at `providers`, in `formats`, for `models` (patterns of one segment of the model's name) without
    `but_not`. A body without any of the names in `about` cannot break it; empty is any body. `broken` returns the
    words of the refusal, None when the request is fit.
    """

    name: str
    providers: tuple[str, ...]
    broken: Callable[[Asked], Words | None]
    message: str
    source: str
    date: str
    formats: tuple[WireFormat, ...] = (_CHAT,)
    models: tuple[str, ...] = ("*",)
    but_not: tuple[str, ...] = ()
    about: tuple[str, ...] = ()
    status: int = 400
    type: str = "invalid_request_error"
    code: str | None = None
    param: str | None = None

    def applies(self, provider: str, format_: WireFormat, model: str) -> bool:
        if provider not in self.providers or format_ not in self.formats:
            return False
        names = model_names(model)
        return matches(names, self.models) and not matches(names, self.but_not)

    def problem(self, words: Words) -> Problem:
        """The vendor's error. Words named `detail` are what its format has beside the message."""
        return Problem(
            status=self.status,
            message=self.message.format_map(words),
            type=self.type,
            code=self.code,
            param=self.param.format_map(words) if self.param else None,
            detail=words.get("detail"),
        )


def model_names(model: str) -> tuple[str, ...]:
    """The names under which a model's rules may stand: `eu.anthropic.claude-x/echo` is `claude-x` and `echo`."""
    return tuple(segment.rpartition("anthropic.")[2] for segment in model.split("/"))


def matches(names: Collection[str], patterns: Collection[str]) -> bool:
    return any(fnmatchcase(name, pattern) for name in names for pattern in patterns)


def at(body: object, path: str) -> Any:
    """The value at a path of names, such as `thinking.type`; None where there is none."""
    for name in path.split("."):
        body = obj(body).get(name)
    return body


def obj(value: object) -> Json:
    """The value if it is an object, otherwise an empty one."""
    return cast("Json", value) if isinstance(value, dict) else {}


def items(value: object) -> Iterator[tuple[int, Json]]:
    """The objects of a list, each with its place."""
    if isinstance(value, list):
        for index, item in enumerate(cast("list[object]", value)):
            if isinstance(item, dict):
                yield index, cast("Json", item)


def given(path: str) -> Callable[[Asked], Words | None]:
    """Broken by any value but null."""

    def broken(asked: Asked) -> Words | None:
        value = at(asked.body, path)
        return None if value is None else {"value": value}

    return broken


def other_than(path: str, *values: object) -> Callable[[Asked], Words | None]:
    """Broken by any value but null and these."""

    def broken(asked: Asked) -> Words | None:
        value = at(asked.body, path)
        return None if value is None or value in values else {"value": value, "model": asked.model}

    return broken


def above(path: str, most: int) -> Callable[[Asked], Words | None]:
    """Broken by a number above `most`."""

    def broken(asked: Asked) -> Words | None:
        value = at(asked.body, path)
        return {"value": value, "most": most, "model": asked.model} if isinstance(value, int) and value > most else None

    return broken


def unknown(known: Collection[str], path: str = "") -> Callable[[Asked], Words | None]:
    """Broken by a field that is not known, of the body or of the object at a path."""
    names = frozenset(known)

    def broken(asked: Asked) -> Words | None:
        fields = obj(at(asked.body, path)) if path else asked.body
        return next(({"name": name, "value": fields[name]} for name in fields if name not in names), None)

    return broken


def overflows(context: int) -> Callable[[Asked], Words | None]:
    """Broken by a prompt of more tokens than the context window has."""

    def broken(asked: Asked) -> Words | None:
        return {"tokens": asked.input_tokens, "context": context} if asked.input_tokens > context else None

    return broken


def bad_name(names: Iterator[tuple[str, object]], pattern: "re.Pattern[str]", longest: int) -> Words | None:
    """The first of the (place, name) pairs whose name is too long or does not match."""
    for place, name in names:
        if isinstance(name, str) and (len(name) > longest or pattern.fullmatch(name) is None):
            return {"place": place, "name": name, "length": len(name)}
    return None
