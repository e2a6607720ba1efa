"""Fitting a request to the model that gets it: one step, for translated requests and for those that pass.

It takes a body in the target's format and the facts of provider and model, and returns what to change. Rules that
every format shares are in `fields`; each format's own are in the module that bears its name. The rule of what is left
out, emulated or refused is printed in docs/translation.md.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from msgspec import Struct

from ownkey.domain.facts import Facts
from ownkey.domain.formats import WireFormat
from ownkey.wire.fit import anthropic_messages, bedrock_converse, gemini, openai_chat, openai_responses
from ownkey.wire.fit.fields import fit_fields, fit_limit
from ownkey.wire.fit.fitting import Fitted, Fitting, Places
from ownkey.wire.fit.media import renamed
from ownkey.wire.fit.rejected import named_fields
from ownkey.wire.fit.schemas import fit_schemas
from ownkey.wire.fit.watch import Suits, Watch

__all__ = ["Fitted", "Fitting", "Watch", "fit", "rejected_fields", "watch"]


class _Rules(Struct, frozen=True):
    """A format's own: where it has fields, whether a request asks to think, what else there is to fit, and whether a
    request certainly suits the model's way of thinking."""

    places: Places = {}
    thinks: Callable[[Fitting], bool] = lambda _: False
    fit: Callable[[Fitting], None] = lambda _: None
    suits: Suits = lambda _facts, _fields: True


_NO_RULES = _Rules()
_RULES: Mapping[WireFormat, _Rules] = {
    WireFormat.OPENAI_CHAT: _Rules(openai_chat.PLACES, openai_chat.thinks, openai_chat.fit, openai_chat.suits),
    WireFormat.OPENAI_RESPONSES: _Rules(
        openai_responses.PLACES, openai_responses.thinks, openai_responses.fit, openai_responses.suits
    ),
    WireFormat.ANTHROPIC_MESSAGES: _Rules(
        anthropic_messages.PLACES, anthropic_messages.thinks, anthropic_messages.fit, anthropic_messages.suits
    ),
    WireFormat.GEMINI: _Rules(gemini.PLACES, fit=gemini.fit, suits=gemini.suits),
    WireFormat.BEDROCK_CONVERSE: _Rules(bedrock_converse.PLACES, anthropic_messages.thinks, bedrock_converse.fit),
}


def fit(
    format_: WireFormat,
    body: Mapping[str, Any],
    facts: Facts,
    ours: Collection[str] = (),
    *,
    model: str = "",
    version: str = "",
    without: Collection[str] = (),
    translated: bool = False,
) -> Fitted:
    """What to change in `body`, a request in `format_`. `ours` are the fields that Ownkey wrote, named as facts name
    them, of which those in `without` go. Raises UnsupportedField for a demand that the model cannot meet."""
    rules = _RULES.get(format_, _NO_RULES)
    fitting = Fitting(body, facts, rules.places, ours, model=model, version=version, translated=translated)
    for name in without:
        if name in ours:
            fitting.remove(name)
    fit_limit(fitting)
    rules.fit(fitting)
    fit_fields(fitting, thinks=rules.thinks(fitting))
    for name in ("messages", "contents") if facts.media_aliases else ():
        given = fitting.get(name)
        files = renamed(given, facts.media_aliases)
        if files is not given:
            fitting.put(name, files)
    fit_schemas(fitting, format_)
    return fitting.fitted()


def watch(format_: WireFormat, facts: Facts) -> Watch:
    """What to look for in requests that pass in `format_`."""
    rules = _RULES.get(format_, _NO_RULES)
    return Watch(facts, rules.places, rules.suits)


def rejected_fields(format_: WireFormat, facts: Facts, error: bytes, ours: Collection[str]) -> tuple[str, ...]:
    """The fields of ours that the body of a provider's error names."""
    places = _RULES.get(format_, _NO_RULES).places
    spellings = {name: (name, places[name][0][-1]) for name in ours if name in places}
    spellings |= {name: (name, facts.renames[name]) for name in ours if name in facts.renames}
    return named_fields(error, ours, spellings)
