"""After the answer: remembering it, before the client can see its end and go on from it."""

import asyncio
import re
from collections.abc import Coroutine
from typing import Any

import msgspec
import structlog
from msgspec import Struct

from ownkey.domain.catalogue import Quirk
from ownkey.domain.errors import Conflict, Unavailable
from ownkey.domain.formats import WireFormat
from ownkey.domain.ids import UserId
from ownkey.domain.plan import Attempt
from ownkey.gateway.read import Ask
from ownkey.gateway.responses.store import Kept, ResponseStore
from ownkey.logs import outline
from ownkey.wire.openai_responses.items import items_of
from ownkey.wire.sse import SseParser

log = structlog.get_logger(__name__)

_PATIENCE = 3.0
"""Seconds that an answer waits for the database to remember it."""

_IS_FINAL = re.compile(rb'"type"\s*:\s*"response\.(?:completed|incomplete)"').search


class _Identity(Struct):
    id: str = ""
    status: str | None = None


class _Final(Struct):
    type: str = ""
    response: msgspec.Raw = msgspec.Raw()


_IDENTITY = msgspec.json.Decoder(_Identity)
_FINAL = msgspec.json.Decoder(_Final)


def wants_recording(ask: Ask) -> bool:
    """Whether the client may go on from the answer: yes, unless it says otherwise."""
    return ask.format is WireFormat.OPENAI_RESPONSES and ask.parsed.get("store") is not False


def kept_by_provider(attempt: Attempt) -> bool:
    """Whether the provider keeps what passes to it. It is never asked to keep what is translated for it."""
    return attempt.format is WireFormat.OPENAI_RESPONSES and Quirk.STATELESS_RESPONSES not in attempt.provider.quirks


class Recording:
    """Makes a recorder for each answer that is to be remembered."""

    def __init__(self, store: ResponseStore) -> None:
        self._store = store
        self._late: set[asyncio.Task[None]] = set()

    def recorder(self, ask: Ask, attempt: Attempt, user_id: UserId, model: str, *, passes: bool) -> "Recorder | None":
        """None when the answer is not to be remembered. `model` is the plan's: a route may change its meaning;
        `passes` is whether the answer is the provider's own."""
        if not wants_recording(ask) or not self._store.keeps:
            return None
        theirs = passes and kept_by_provider(attempt)
        return Recorder(self, self._store, ask, attempt, user_id, model, theirs=theirs)

    async def wait(self, work: Coroutine[Any, Any, None]) -> None:
        """Do the work of a recorder, and wait for it as long as an answer may wait. It goes on after that, and after
        the client has left."""
        task = asyncio.create_task(work)
        self._late.add(task)
        task.add_done_callback(self._late.discard)
        await asyncio.wait({task}, timeout=_PATIENCE)


class Recorder:
    """Remembers one answer. Losing that is no reason to lose a paid answer, too: it is logged."""

    def __init__(
        self,
        recording: Recording,
        store: ResponseStore,
        ask: Ask,
        attempt: Attempt,
        user_id: UserId,
        model: str,
        *,
        theirs: bool,
    ) -> None:
        self._recording = recording
        self._store = store
        self._ask = ask
        self._attempt = attempt
        self._user_id = user_id
        self._model = model
        self._theirs = theirs
        self._done = False

    async def whole(self, body: bytes) -> None:
        """Remember the response that the client is about to get."""
        if not self._done:
            self._done = True
            await self._recording.wait(self._try(body))

    async def passing(self, out: bytes) -> None:
        """Remember the response if its last event is among those that the client is about to get."""
        if self._done or not _IS_FINAL(out):
            return
        parser = SseParser()
        for _, data in parser.feed(out + b"\n\n"):
            if _IS_FINAL(data):
                response = _final(data)
                if response:
                    await self.whole(response)

    async def _try(self, body: bytes) -> None:
        try:
            await self._remember(body)
        except (Unavailable, Conflict) as error:
            log.warning("a response was not kept", reason=outline(error))
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            log.warning("a response was not kept", reason="it does not follow its own format")

    async def _remember(self, body: bytes) -> None:
        identity = _IDENTITY.decode(body)
        if not identity.id or identity.status == "failed":
            return
        ask, attempt = self._ask, self._attempt
        place = (self._user_id, identity.id, attempt.provider.name, self._model)
        if self._theirs:
            await self._store.pin(*place, attempt.credential.id)
            return
        items: list[dict[str, Any]] = items_of(ask.parsed.get("input"))
        if not await self._store.keep(*place, Kept(items, msgspec.Raw(body))):
            log.warning("a response was not kept", reason="it is larger than response_size_limit")


def _final(data: bytes) -> bytes:
    """The response in a last event; empty for an event of another type."""
    try:
        event = _FINAL.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return b""
    return bytes(event.response) if event.type in ("response.completed", "response.incomplete") else b""
