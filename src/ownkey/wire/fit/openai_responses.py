"""Rules for requests in OpenAI's responses format."""

from collections.abc import Mapping
from typing import Any, cast

from ownkey.domain.facts import Facts
from ownkey.wire.fit.fitting import Fitting, Places
from ownkey.wire.fit.json_word import asks_object, fit_json_word
from ownkey.wire.fit.openai_chat import fit_effort

PLACES: Places = {
    "max_tokens": (("max_output_tokens",),),
    "reasoning_effort": (("reasoning", "effort"),),
    "response_format": (("text", "format"),),
}


def thinks(fitting: Fitting) -> bool:
    return fitting.get("reasoning_effort") not in (None, "none")


def suits(facts: Facts, fields: Mapping[str, Any]) -> bool:
    """Whether nothing of the request's thinking and JSON mode can need fitting."""
    text = fields.get("text")
    if isinstance(text, dict) and asks_object(facts, cast("dict[str, Any]", text).get("format")):
        return False
    asked = fields.get("reasoning")
    if asked is None:
        return True
    effort = cast("dict[str, Any]", asked).get("effort") if isinstance(asked, dict) else None
    return not facts.beside_thinking and (facts.thinking is None or effort in facts.thinking.levels)


def fit(fitting: Fitting) -> None:
    """The rules of this format beyond those of single fields."""
    facts = fitting.facts.thinking
    if facts is not None and not facts.ways and fitting.get("reasoning") is not None:
        fitting.leave_out("reasoning")
    fit_effort(fitting)
    fit_json_word(fitting, "input")
