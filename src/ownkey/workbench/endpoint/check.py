"""The connection check: does a model answer, and what can its endpoint do?"""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from difflib import get_close_matches
from time import monotonic
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from ownkey.domain.errors import OwnkeyError
from ownkey.workbench.endpoint.answer import tokens_of
from ownkey.workbench.endpoint.call import Call
from ownkey.workbench.endpoint.failures import advice, failure_of_error, one_line
from ownkey.workbench.endpoint.probes import SAMPLING, Prober
from ownkey.workbench.endpoint.request import MODELS
from ownkey.workbench.endpoint.transport import TimedReply, Transport, read_base_url, with_version
from ownkey.workbench.records import Abilities, Failure, FailureKind, Target

_LARGEST = 2 * 1024 * 1024
_MOST = 5_000
_LONGEST_NAME = 200


class _Row(Struct):
    id: Any = None
    name: Any = None


class _List(Struct):
    data: list[_Row] = []
    models: list[_Row] = []


_LISTS = msgspec.json.Decoder(_List)
_ROWS = msgspec.json.Decoder(list[_Row])


async def listed_models(transport: Transport, timeout_ms: float) -> tuple[str, ...]:
    """The names of the models the endpoint lists; empty where it lists none, or not in a way we know."""
    reply: TimedReply | None = None
    try:
        async with asyncio.timeout(timeout_ms / 1000):
            reply = await transport.get(MODELS, timeout_ms)
            body = await _read(reply) if reply.status == 200 else b""
    except (OwnkeyError, TimeoutError):
        return ()
    finally:
        if reply is not None:
            reply.abort()
    return _names(body)


def close_names(wanted: str, names: tuple[str, ...]) -> list[str]:
    """Up to three names that look like the one that was wanted, the closest first."""
    lower = {name.lower(): name for name in names}
    inside = [name for name in names if wanted and wanted.lower() in name.lower()]
    close = [lower[found] for found in get_close_matches(wanted.lower(), lower, n=3, cutoff=0.5)]
    return list(dict.fromkeys(inside[:3] + close))[:3]


async def _read(reply: TimedReply) -> bytes:
    taken = bytearray()
    async with aclosing(reply.chunks()) as chunks:
        async for _, data in chunks:
            taken += data
            if len(taken) > _LARGEST:
                return b""
    return bytes(taken)


def _names(body: bytes) -> tuple[str, ...]:
    try:
        if body.lstrip().startswith(b"["):
            rows = _ROWS.decode(body)
        else:
            found = _LISTS.decode(body)
            rows = found.data or found.models
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return ()
    names = (row.id or row.name for row in rows[:_MOST])
    return tuple(name for name in names if isinstance(name, str) and len(name) <= _LONGEST_NAME)


PREVIEW = 100
_LISTING_MS = 5_000.0
_SHOWN = 20

MakeTransport = Callable[[str | None], Transport]
"""Takes a base URL (None for a target behind the gateway). Raises InvalidRequest or AddressBlocked."""


class Step(Struct, frozen=True):
    """One thing that was looked at. `ok` is None where nothing could be found out; `ms` where something took time."""

    name: str
    ok: bool | None
    message: str
    ms: float | None = None


class ConnectionCheck(Struct, frozen=True, kw_only=True):
    """What the check found. `latency_ms` is the answer's, from sending to its last content; `preview` its beginning.

    `base_url` is the address at which the endpoint was found, which may be the given one with `/v1`. `failure` says
    why there is no success, `advice` what to do then. `models` are some that the endpoint has, those that may have
    been meant first, where it has none of the name that was given.
    """

    success: bool
    steps: tuple[Step, ...]
    message: str
    advice: str = ""
    latency_ms: float | None = None
    preview: str = ""
    abilities: Abilities = Abilities()
    base_url: str | None = None
    failure: Failure | None = None
    models: tuple[str, ...] = ()


async def check_connection(
    make_transport: MakeTransport, target: Target, timeout_ms: float = SAMPLING.timeout_ms
) -> ConnectionCheck:
    """Check a target with at most eight small calls, each within `timeout_ms`. Raises nothing but cancellation."""
    check = _Check(make_transport, target, timeout_ms)
    return await check.run()


class _Check:
    """One check under way."""

    def __init__(self, make_transport: MakeTransport, target: Target, timeout_ms: float) -> None:
        self._make_transport = make_transport
        self._target = target
        self._sampling = replace(SAMPLING, timeout_ms=timeout_ms)
        self._probes_until = monotonic() + 2 * timeout_ms / 1000
        self._base_url = target.base_url
        self._steps: list[Step] = []

    async def run(self) -> ConnectionCheck:
        try:
            if self._base_url is not None:
                self._base_url = read_base_url(self._base_url)
            transport = self._make_transport(self._base_url)
        except OwnkeyError as error:
            return self._failed("address", failure_of_error(error, str), error.public)
        prober = Prober(transport, self._target.model, self._sampling)
        failure = await prober.greet()
        if failure is not None and (other := self._other_address(failure)) is not None:
            elsewhere = Prober(self._make_transport(other), self._target.model, self._sampling, prober.found.calls)
            again = await elsewhere.greet()
            if again is None or not _at_wrong_address(again):
                self._base_url, prober, failure = other, elsewhere, again
                transport = self._make_transport(other)
        made = prober.found.last or Call()
        if failure is not None:
            return await self._stopped(failure, made, transport)
        return await self._able(prober, made, transport)

    def _other_address(self, failure: Failure) -> str | None:
        """The address with `/v1`, where what was given is no address of chat completions."""
        if self._base_url is None or not _at_wrong_address(failure):
            return None
        return with_version(self._base_url)

    async def _stopped(self, failure: Failure, made: Call, transport: Transport) -> ConnectionCheck:
        """The steps up to the one that failed."""
        if failure.kind is FailureKind.BLOCKED_ADDRESS:
            return self._failed("address", failure)
        self._add_address()
        if not made.sent and made.status is None:
            return self._failed("connect", failure)
        self._add_connect(made)
        if failure.kind is FailureKind.AUTH:
            return self._failed("authenticate", failure)
        if failure.kind is FailureKind.MODEL_NOT_FOUND:
            self._steps.append(Step("authenticate", True, "The endpoint did not refuse the key."))
            names = await listed_models(transport, _LISTING_MS)
            found = self._failed("answer", failure, self._suggestion(transport, failure, names))
            likely = dict.fromkeys([*close_names(self._target.model, names), *names])
            return replace(found, models=tuple(one_line(transport.scrub(name), 200) for name in list(likely)[:_SHOWN]))
        return self._failed("answer", failure)

    async def _able(self, prober: Prober, answer: Call, transport: Transport) -> ConnectionCheck:
        """The endpoint answered: find out what it can do."""
        found, reader = prober.found, answer.reader
        preview = one_line(transport.scrub(reader.text or reader.reasoning), PREVIEW)
        latency = None if reader.last is None else (reader.last - answer.sent_at) * 1000
        self._add_address()
        self._add_connect(answer)
        self._steps.append(Step("authenticate", True, "The endpoint accepts the key, or asks for none."))
        said = f"The model answered: {preview}" if preview else "The model answered, without a text in so few tokens."
        self._steps.append(Step("answer", True, said, latency))
        self._add_learned(found.abilities)
        for name, probe in (("tools", prober.tools), ("json mode", prober.json_mode)):
            began = monotonic()
            if began >= self._probes_until:
                self._steps.append(Step(name, None, "Not looked at: the endpoint is too slow."))
                continue
            message = await probe()
            ability = found.abilities.tools if name == "tools" else found.abilities.json_mode
            self._steps.append(Step(name, ability, message, (monotonic() - began) * 1000))
        field = found.abilities.reasoning_field
        seen = f"Reasoning comes in {field}." if field else "The model did not show any reasoning."
        self._steps.append(Step("reasoning", True if field else None, seen))
        tokens, _ = tokens_of(reader, (), self._sampling.max_tokens)
        per_chunk = tokens.output / reader.chunks if tokens is not None and reader.streamed and reader.chunks else None
        return ConnectionCheck(
            success=True,
            steps=tuple(self._steps),
            message=self._moved() or "The endpoint works.",
            latency_ms=latency,
            preview=preview,
            abilities=replace(found.abilities, tokens_per_chunk=per_chunk),
            base_url=self._base_url,
        )

    def _add_address(self) -> None:
        text = "Reached through the gateway." if self._base_url is None else f"{self._base_url} may be called."
        self._steps.append(Step("address", True, self._moved() or text))

    def _moved(self) -> str:
        given = self._target.base_url
        if given is None or self._base_url is None or not self._base_url.endswith("/v1"):
            return ""
        was = read_base_url(given)
        return "" if was == self._base_url else f"The endpoint is not at {was} but at {self._base_url}, which is used."

    def _add_connect(self, made: Call) -> None:
        secure = " with TLS" if (self._base_url or "").startswith("https:") else ""
        self._steps.append(Step("connect", True, f"Connected{secure}.", made.connect_ms))

    def _add_learned(self, abilities: Abilities) -> None:
        streams = "Answers come as a stream." if abilities.streaming else "Answers come in one piece."
        usage = "The stream ends with the usage." if abilities.stream_usage else "The stream does not tell the usage."
        if not abilities.streaming:
            usage = "There is no stream that could tell it."
        roles = "Accepted." if abilities.system_role else "Not accepted: its text goes before the user's."
        self._steps += [
            Step("streaming", abilities.streaming, streams),
            Step("usage", abilities.stream_usage if abilities.streaming else None, usage),
            Step("token limit", True, f"Bounded by {abilities.token_limit}."),
            Step("system role", abilities.system_role, roles),
        ]

    def _suggestion(self, transport: Transport, failure: Failure, names: tuple[str, ...]) -> str:
        close = close_names(self._target.model, names)
        if close:
            return one_line(transport.scrub(f"{failure.message} Did you mean {' or '.join(close)}?"), 600)
        if names:
            shown = ", ".join(names[:5])
            return one_line(transport.scrub(f"{failure.message} It has {len(names)} models, among them {shown}."), 600)
        return failure.message

    def _failed(self, step: str, failure: Failure, message: str | None = None) -> ConnectionCheck:
        message = message or failure.message
        self._steps.append(Step(step, False, message))
        return ConnectionCheck(
            success=False,
            steps=tuple(self._steps),
            message=message,
            advice=advice(failure.kind),
            base_url=self._base_url,
            failure=failure,
        )


def _at_wrong_address(failure: Failure) -> bool:
    """Something answered, and it was no endpoint of chat completions: a 404, a web page."""
    return failure.kind is FailureKind.MALFORMED_RESPONSE and failure.status not in (301, 302, 303, 307, 308)
