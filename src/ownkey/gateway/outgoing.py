"""From an attempt to the bytes sent upstream: body in the target's format, headers, address."""

import time
from collections.abc import Collection

from msgspec import Struct

from ownkey.domain.credential import Preferences
from ownkey.domain.errors import UnsupportedField
from ownkey.domain.plan import Attempt
from ownkey.domain.secret import Secret
from ownkey.gateway.edge.exchange import Request
from ownkey.gateway.net import HeadEncoder, UpstreamRequest
from ownkey.gateway.net.target import Target
from ownkey.gateway.read import Ask
from ownkey.providers.auth import auth_headers, signer_for
from ownkey.wire import FORMATS, Written, address_of, event_type, splice
from ownkey.wire.fit import fit, watch
from ownkey.wire.format import PASSES, WayBack
from ownkey.wire.tools.passing import ToolWatch
from ownkey.wire.translation import in_words, translate_request
from ownkey.wire.wishes import Wishes, fill_in

_FORWARDED = (b"anthropic-", b"openai-beta")
"""Client headers that belong to the format itself and pass on when the formats are the same."""
_JSON = (b"content-type", b"application/json")
_JSON_BACK = (b"accept", b"application/json")
_ANYTHING_BACK = (b"accept", b"*/*")
_KEPT = 4096
_HEADS_KEPT = 32
"""Heads kept for one attempt: clients differ in the versions and betas that they name."""

_Fields = tuple[tuple[bytes, bytes], ...]


class Outgoing(Struct, frozen=True):
    """What one attempt sends. `adaptations` names the client's fields that were left out or changed for the target,
    `ours` the fields that Ownkey added of its own accord; `back` is how the answer becomes the client's."""

    request: UpstreamRequest
    adaptations: tuple[str, ...] = ()
    ours: tuple[str, ...] = ()
    back: WayBack = PASSES


class _Watched:
    """What to look for in requests that pass by one attempt: fields, and names of tools."""

    __slots__ = ("fields", "tools")

    def __init__(self, attempt: Attempt) -> None:
        self.fields = watch(attempt.format, attempt.facts)
        self.tools = ToolWatch(attempt.format, attempt.facts)

    def may_pass(self, ask: Ask, attempt: Attempt) -> bool:
        """Whether the request passes, and need not be translated."""
        return attempt.format is ask.format and not self.tools.must_translate(ask.parsed)


class _Prepared:
    """What every request of one attempt shares. `base` are its headers but for those the client forwards."""

    __slots__ = ("attempt", "base", "defaults", "events_back", "heads", "secret", "signer", "targets", "watched")

    def __init__(self, attempt: Attempt, secret: Secret, fixed: list[tuple[bytes, bytes]]) -> None:
        self.attempt = attempt
        self.secret = secret
        self.targets = (_target(attempt, stream=False), _target(attempt, stream=True))
        self.base = auth_headers(attempt.provider, secret, attempt.credential.config, attempt.format) + fixed
        self.defaults = [(name.encode(), value.encode()) for name, value in attempt.provider.headers.items()]
        self.events_back = (b"accept", event_type(attempt.format))
        self.signer = signer_for(attempt.provider, secret, attempt.credential.config, attempt.base_url, attempt.format)
        self.heads: dict[tuple[bool, _Fields], bytes] = {}
        self.watched = _Watched(attempt)

    def headers(self, ask: Ask, forwarded: _Fields) -> list[tuple[bytes, bytes]]:
        """All headers of a request; what the client names itself replaces the provider's defaults."""
        headers = [*self.base, *self._kinds(ask), *forwarded]
        if self.defaults:
            named = {name for name, _ in forwarded}
            headers += [field for field in self.defaults if field[0] not in named]
        return headers

    def _kinds(self, ask: Ask) -> _Fields:
        """What is sent and what may come back. A form keeps its content type, which names its boundary."""
        if ask.form is not None:
            return (b"content-type", ask.form.content_type), _ANYTHING_BACK
        if FORMATS[ask.format].media:
            return _JSON, _ANYTHING_BACK
        return _JSON, self.events_back if ask.stream else _JSON_BACK


class OutgoingBuilder:
    """Builds `Outgoing` values. What the requests of one attempt share is kept while its plan is."""

    def __init__(self, user_agent: str) -> None:
        self._fixed = [(b"user-agent", user_agent.encode())]
        self._prepared: dict[int, _Prepared] = {}
        self._encoder = HeadEncoder()

    def build(
        self,
        request: Request,
        ask: Ask,
        attempt: Attempt,
        preferences: Preferences,
        secret: Secret,
        without: Collection[str] = (),
    ) -> Outgoing:
        """Leave `without` out of what Ownkey adds. Raises UnsupportedField when the target cannot express what the
        client asked, and for a strict client when anything had to be adapted."""
        prepared = self._prepared.get(id(attempt))
        if prepared is None or prepared.attempt is not attempt or prepared.secret is not secret:
            prepared = self._prepare(attempt, secret)
        stream = ask.stream
        if prepared.watched.may_pass(ask, attempt):
            forwarded = tuple([field for field in request.fields if field[0].startswith(_FORWARDED)])
            version = _version(forwarded) if prepared.watched.fields.first_version else ""
            written = _same_format_body(ask, attempt, preferences, prepared.watched, version, without)
        else:
            written, forwarded = _translated_body(ask, attempt, preferences, without), ()
        if ask.strict and written.adaptations:
            raise _strictly(written.adaptations[0])
        body = written.body
        target = prepared.targets[stream]
        if prepared.signer is not None:
            headers = prepared.headers(ask, forwarded)
            headers += prepared.signer.sign(b"POST", target.url, headers, body, time.time())
            sent = UpstreamRequest(b"POST", target, headers, body, attempt.trusted)
            return Outgoing(sent, written.adaptations, written.ours, written.back)
        if ask.form is None:
            prefix = prepared.heads.get((stream, forwarded)) or self._head(prepared, ask, forwarded)
        else:
            # Each form has a boundary of its own: its head is not worth keeping.
            prefix = self._encoder.prefix(b"POST", target, prepared.headers(ask, forwarded))
        sent = UpstreamRequest(b"POST", target, [], body, attempt.trusted, None, prefix)
        return Outgoing(sent, written.adaptations, written.ours, written.back)

    def forget(self) -> None:
        """Drop what is kept, secrets included."""
        self._prepared.clear()

    def _prepare(self, attempt: Attempt, secret: Secret) -> _Prepared:
        prepared = _Prepared(attempt, secret, self._fixed)
        if len(self._prepared) >= _KEPT:
            self._prepared.clear()
        self._prepared[id(attempt)] = prepared
        return prepared

    def _head(self, prepared: _Prepared, ask: Ask, forwarded: _Fields) -> bytes:
        headers = prepared.headers(ask, forwarded)
        head = self._encoder.prefix(b"POST", prepared.targets[ask.stream], headers)
        if len(prepared.heads) < _HEADS_KEPT:
            prepared.heads[ask.stream, forwarded] = head
        return head


def preview(ask: Ask, attempt: Attempt, preferences: Preferences, without: Collection[str]) -> Written:
    """The body that an attempt would send. Raises as `OutgoingBuilder.build` does."""
    watched = _Watched(attempt)
    if watched.may_pass(ask, attempt):
        return _same_format_body(ask, attempt, preferences, watched, "", without)
    return _translated_body(ask, attempt, preferences, without)


def _target(attempt: Attempt, *, stream: bool) -> Target:
    return Target.parse(attempt.base_url + address_of(attempt.format, attempt.path, attempt.upstream_model, stream))


def _version(forwarded: _Fields) -> str:
    return next((value.decode("latin-1") for name, value in forwarded if name == b"anthropic-version"), "")


def _strictly(field: str) -> UnsupportedField:
    text = f"{field} would have to be adapted for the chosen provider, which x-ownkey-strict forbids: leave it out."
    return UnsupportedField(text, param=field)


def _same_format_body(
    ask: Ask, attempt: Attempt, preferences: Preferences, watched: _Watched, version: str, without: Collection[str]
) -> Written:
    format_ = FORMATS[ask.format]
    if ask.form is not None:
        same = ask.model == attempt.upstream_model
        return Written(ask.body if same else ask.form.with_model(ask.body, attempt.upstream_model))
    parsed = ask.parsed
    changes = dict(format_.rename(parsed, attempt.upstream_model))
    ours: tuple[str, ...] = ()
    if preferences.temperature is not None or preferences.max_tokens is not None:
        wished, ours = fill_in(format_, parsed, Wishes(preferences.temperature, preferences.max_tokens))
        changes |= wished
    if ask.stream and watched.fields.asks_usage:
        usage = format_.ask_usage(parsed)
        if usage:
            changes |= usage
            ours += ("stream_options",)
    changes |= format_.adapt(parsed, attempt.provider.quirks)
    adaptations: tuple[str, ...] = ()
    back = PASSES
    renamed = watched.tools.renamed(parsed) if "tools" in parsed else None
    if renamed is not None:
        changes |= renamed[0]
        back = WayBack(names=renamed[1])
        adaptations = in_words(ask.format, ("tools.name",))
    filled = parsed | changes if ours or renamed is not None else parsed
    if without or watched.fields.concerns(ask.body, filled, version):
        fitted = fit(
            attempt.format,
            filled,
            attempt.facts,
            ours,
            model=attempt.upstream_model,
            version=version,
            without=without,
        )
        changes |= fitted.changes
        adaptations += in_words(ask.format, fitted.adaptations)
    body = splice(ask.body, parsed, changes) if changes else ask.body
    if without:
        ours = tuple([name for name in ours if name not in without])
    return Written(body, adaptations, ours, back)


def _translated_body(ask: Ask, attempt: Attempt, preferences: Preferences, without: Collection[str]) -> Written:
    return translate_request(
        ask.format,
        attempt.format,
        ask.parsed,
        model=attempt.upstream_model,
        stream=ask.stream,
        wishes=Wishes(preferences.temperature, preferences.max_tokens),
        quirks=attempt.provider.quirks,
        facts=attempt.facts,
        without=without,
    )
