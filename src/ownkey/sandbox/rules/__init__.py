"""What the vendors refuse, as tables of rules in their own words: the sandbox holds requests to them.

One rule is one row (`Rule`): when it applies, what breaks it, the vendor's status and text, and where that is stated.
The tables are the sandbox's own. They share nothing with the facts of the catalogue (`providers/catalog`), from which
Ownkey fits requests: a wrong fact there shows as a request that is refused here.

    rule                       what a rule is, and the questions that rules ask
    anthropic, openai, …       one vendor's rules each
"""

from functools import lru_cache

import msgspec

from ownkey.domain.formats import WireFormat
from ownkey.sandbox.errors import Refused
from ownkey.sandbox.exchange import Context
from ownkey.sandbox.rules import anthropic, bedrock, cohere, deepseek, gemini, groq, mistral, openai, responses, xai
from ownkey.sandbox.rules.rule import Asked, Rule

RULES: tuple[Rule, ...] = (
    *openai.RULES,
    *responses.RULES,
    *anthropic.RULES,
    *gemini.RULES,
    *mistral.RULES,
    *groq.RULES,
    *deepseek.RULES,
    *xai.RULES,
    *cohere.RULES,
    *bedrock.RULES,
)
_JSON = msgspec.json.Decoder(dict[str, object])


@lru_cache(maxsize=1024)
def _rules_for(provider: str, format_: WireFormat, model: str) -> tuple[tuple[Rule, tuple[bytes, ...]], ...]:
    """The rules that a model stands under, each with the bytes without which a body cannot break it."""
    return tuple(
        (rule, tuple(f'"{name}"'.encode() for name in rule.about))
        for rule in RULES
        if rule.applies(provider, format_, model)
    )


def check(context: Context, format_: WireFormat, model: str, input_tokens: int) -> None:
    """Raises Refused for a request that the vendor refuses."""
    rules = _rules_for(context.plan.provider, format_, model)
    if not rules:
        return
    body = context.request.body
    concerned = [rule for rule, needles in rules if not needles or any(needle in body for needle in needles)]
    if not concerned:
        return
    version = context.request.head.headers.get(b"anthropic-version", b"").decode("latin-1")
    asked = Asked(_JSON.decode(body), model, input_tokens, version)
    for rule in concerned:
        words = rule.broken(asked)
        if words is not None:
            raise Refused(rule.problem(words))
