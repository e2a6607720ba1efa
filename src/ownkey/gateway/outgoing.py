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
from ownkey.wire import FORMATS, Written, address_of, splice
from ownkey.wire.translation import Wishes, translate_request

_FORWARDED = (b"anthropic-", b"openai-beta")
"""Client headers that belong to the format itself and pass on when the formats are the same."""
_ACCEPT_EVENTS = [(b"accept", b"text/event-stream")]
_ACCEPT_JSON = [(b"accept", b"application/json")]
_KEPT = 4096


class Outgoing(Struct, frozen=True):
    """What one attempt sends. `dropped` names the client's hints that the target's format cannot express."""

    target: Target
    headers: list[tuple[bytes, bytes]]
    body: bytes
    dropped: tuple[str, ...] = ()


class _Prepared(Struct, frozen=True):
    """What every request of one attempt shares. `base` are its headers but for those the client forwards."""

    attempt: Attempt
    secret: Secret
    targets: tuple[Target, Target]
    """For a whole answer and for a stream."""
    base: list[tuple[bytes, bytes]]
    defaults: list[tuple[bytes, bytes]]


class OutgoingBuilder:
    """Builds `Outgoing` values. What the requests of one attempt share is kept while its plan is."""

    def __init__(self, user_agent: str) -> None:
        self._fixed = [(b"content-type", b"application/json"), (b"user-agent", user_agent.encode())]
        self._prepared: dict[int, _Prepared] = {}

    def build(self, request: Request, ask: Ask, attempt: Attempt, preferences: Preferences, secret: Secret) -> Outgoing:
        """Raises UnsupportedField when the target's format cannot say what the client asked."""
        prepared = self._prepared.get(id(attempt))
        if prepared is None or prepared.attempt is not attempt or prepared.secret is not secret:
            prepared = self._prepare(attempt, secret)
        target = prepared.targets[ask.stream]
        same = attempt.format is ask.format
        forwarded = [field for field in request.fields if field[0].startswith(_FORWARDED)] if same else []
        headers = prepared.base + (_ACCEPT_EVENTS if ask.stream else _ACCEPT_JSON) + forwarded
        if prepared.defaults:
            named = {name for name, _ in forwarded}
            headers += [field for field in prepared.defaults if field[0] not in named]
        if same:
            return Outgoing(target, headers, _same_format_body(ask, attempt, preferences))
        written = _translated_body(ask, attempt, preferences)
        return Outgoing(target, headers, written.body, written.dropped)

    def forget(self) -> None:
        """Drop what is kept, secrets included."""
        self._prepared.clear()

    def _prepare(self, attempt: Attempt, secret: Secret) -> _Prepared:
        base = auth_headers(attempt.provider, secret, attempt.credential.config, attempt.format) + self._fixed
        defaults = [(name.encode(), value.encode()) for name, value in attempt.provider.headers.items()]
        prepared = _Prepared(attempt, secret, (_target(attempt, False), _target(attempt, True)), base, defaults)
        if len(self._prepared) >= _KEPT:
            self._prepared.clear()
        self._prepared[id(attempt)] = prepared
        return prepared


def _target(attempt: Attempt, stream: bool) -> Target:
    return Target.parse(attempt.base_url + address_of(attempt.format, attempt.path, attempt.upstream_model, stream))


def _same_format_body(ask: Ask, attempt: Attempt, preferences: Preferences) -> bytes:
    format_ = FORMATS[ask.format]
    changes: dict[str, Any] = {}
    if ask.model != attempt.upstream_model and format_.model_in_body:
        changes["model"] = attempt.upstream_model
    if ask.format.operation is Operation.CHAT:
        if preferences.temperature is not None or preferences.max_tokens is not None:
            changes |= format_.defaults(
                ask.parsed, preferences.temperature, preferences.max_tokens, attempt.provider.quirks
            )
        if ask.stream:
            changes |= format_.ask_usage(ask.parsed)
    return splice(ask.body, ask.parsed, changes) if changes else ask.body


def _translated_body(ask: Ask, attempt: Attempt, preferences: Preferences) -> Written:
    return translate_request(
        ask.format,
        attempt.format,
        ask.parsed,
        model=attempt.upstream_model,
        stream=ask.stream,
        wishes=Wishes(preferences.temperature, preferences.max_tokens),
        quirks=attempt.provider.quirks,
    )
