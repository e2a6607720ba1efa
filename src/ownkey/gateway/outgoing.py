"""From an attempt to the bytes sent upstream: body in the target's format, headers, address."""

from typing import Any

from msgspec import Struct

from ownkey.domain.credential import Preferences
from ownkey.domain.formats import Operation
from ownkey.domain.plan import Attempt
from ownkey.domain.secret import Secret
from ownkey.gateway.edge.exchange import Request
from ownkey.gateway.net.target import Target
from ownkey.gateway.read import Ask
from ownkey.providers.auth import auth_headers
from ownkey.wire import CHAT_FORMATS, FORMATS, splice

_FORWARDED = (b"anthropic-", b"openai-beta")
"""Client headers that belong to the format itself and pass on when the formats are the same."""
_TARGETS_KEPT = 4096


class Outgoing(Struct, frozen=True):
    """What one attempt sends."""

    target: Target
    headers: list[tuple[bytes, bytes]]
    body: bytes


class OutgoingBuilder:
    """Builds `Outgoing` values; parsed addresses are kept, since the same few come again and again."""

    def __init__(self, user_agent: str) -> None:
        self._fixed = [(b"content-type", b"application/json"), (b"user-agent", user_agent.encode())]
        self._targets: dict[str, Target] = {}

    def build(self, request: Request, ask: Ask, attempt: Attempt, preferences: Preferences, secret: Secret) -> Outgoing:
        """Raises UnsupportedField when the target's format cannot say what the client asked."""
        same = attempt.format is ask.format
        headers = auth_headers(attempt.provider, secret, attempt.credential.config)
        headers += self._fixed
        named = {name for name, _ in headers}
        if same:
            forwarded = [field for field in request.fields if field[0].startswith(_FORWARDED)]
            headers += forwarded
            named |= {name for name, _ in forwarded}
        for name, value in attempt.provider.headers.items():
            if name.encode() not in named:
                headers.append((name.encode(), value.encode()))
        headers.append((b"accept", b"text/event-stream" if ask.stream else b"application/json"))
        body = _same_format_body(ask, attempt, preferences) if same else _translated_body(ask, attempt, preferences)
        return Outgoing(self._target(attempt.base_url + attempt.path), headers, body)

    def _target(self, url: str) -> Target:
        target = self._targets.get(url)
        if target is None:
            if len(self._targets) >= _TARGETS_KEPT:
                self._targets.clear()
            target = self._targets[url] = Target.parse(url)
        return target


def _same_format_body(ask: Ask, attempt: Attempt, preferences: Preferences) -> bytes:
    format_ = FORMATS[ask.format]
    changes: dict[str, Any] = {}
    if ask.model != attempt.upstream_model:
        changes["model"] = attempt.upstream_model
    if ask.format.operation is Operation.CHAT:
        if preferences.temperature is not None or preferences.max_tokens is not None:
            changes |= format_.defaults(
                ask.parsed, preferences.temperature, preferences.max_tokens, attempt.provider.quirks
            )
        if ask.stream:
            changes |= format_.ask_usage(ask.parsed)
    return splice(ask.body, ask.parsed, changes) if changes else ask.body


def _translated_body(ask: Ask, attempt: Attempt, preferences: Preferences) -> bytes:
    source, target = CHAT_FORMATS[ask.format], CHAT_FORMATS[attempt.format]
    parsed = ask.parsed | source.defaults(ask.parsed, preferences.temperature, preferences.max_tokens, ())
    conversation = source.requests.read(parsed)
    return target.requests.write(conversation, attempt.upstream_model, ask.stream, attempt.provider.quirks).body
