"""What a wire format consists of.

    Format          what clients send and what passes to a provider as it is
    ├─ EmbeddingFormat  embeddings, translated into every other EmbeddingFormat
    └─ ClientChat       chat as clients speak it
       └─ ChatFormat        … and as providers speak it, too
    ProviderChat    chat as providers speak it
    ProviderRerank  rerank as only providers speak it

A format is one instance of a class of its own. Methods with a body are defaults.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol
from urllib.parse import quote

from msgspec import Struct

from ownkey.domain.facts import NO_FACTS, Facts
from ownkey.domain.formats import WireFormat
from ownkey.domain.usage import Usage
from ownkey.wire.errors import ErrorReader, Errors, WireError
from ownkey.wire.events import Event
from ownkey.wire.fields import encode
from ownkey.wire.neutral import Answer, AnswerLabel, Conversation, EmbeddingAnswer, EmbeddingAsk
from ownkey.wire.sse import MAX_EVENT, PING
from ownkey.wire.tools.passing import Names
from ownkey.wire.tools.restoring import Restoring
from ownkey.wire.writing import StreamWriter


class Outline(Struct, frozen=True):
    """The few facts of a request that a plan needs. `max_tokens` is None when the client set no limit."""

    model: str
    stream: bool = False
    max_tokens: int | None = None


class Draft(Struct, frozen=True):
    """A request as a format's writer leaves it, before it is fitted to its model and encoded.

    `dropped` names the client's hints that the format cannot express, `ours` the fields that no client asked for.
    """

    body: dict[str, Any]
    dropped: tuple[str, ...] = ()
    ours: tuple[str, ...] = ()

    def encoded(self) -> bytes:
        """The body as JSON. Raises InvalidRequest."""
        return encode(self.body)


class WayBack(Struct, frozen=True):
    """How a provider's answer becomes the client's: `translated`, or passed in the format that both speak.

    `restoring` gives the calls of a translated answer the names and the form that the client knows, `names` those of
    one that passes their names.
    """

    translated: bool = False
    restoring: Restoring | None = None
    names: Names | None = None


PASSES = WayBack()


class Written(Struct, frozen=True):
    """A request for a provider. `adaptations` names the client's fields that were left out or changed, `ours` the
    fields that Ownkey wrote of its own accord.

    `back` is what its answer needs on the way back.
    """

    body: bytes
    adaptations: tuple[str, ...] = ()
    ours: tuple[str, ...] = ()
    back: WayBack = PASSES


class Watched(Protocol):
    """What both a reader and an observer learn of a stream while it passes."""

    @property
    def usage(self) -> Usage | None:
        """The last totals reported."""
        ...

    @property
    def first_content(self) -> bool:
        """Whether content, reasoning or a tool call has been seen, not merely a role."""
        ...

    @property
    def ended(self) -> bool:
        """Whether the format's own end mark has been seen."""
        ...

    @property
    def error(self) -> WireError | None:
        """The error inside the stream, if one came."""
        ...


class EventReader(Watched, Protocol):
    """Reads a provider's stream into events."""

    def feed(self, data: bytes) -> list[Event]:
        """The events that `data` completes; nothing follows Finished or StreamFailed."""
        ...

    def finish(self, cut: bool = False) -> list[Event]:
        """Call at the end of the body, `cut` where the connection broke: returns a StreamFailed when the answer is not
        complete."""
        ...


class Observer(Watched, Protocol):
    """Watches a stream that passes as it is."""

    @property
    def closing(self) -> bytes:
        """After `finish`: the format's end mark where the provider left it out of a complete answer."""
        ...

    def feed(self, data: bytes) -> bytes:
        """The bytes to forward: `data` itself unless something is held back or taken out."""
        ...

    def finish(self) -> bytes:
        """Call at a clean end of the body: returns the bytes that were held back."""
        ...


EVENT_STREAM = "text/event-stream"
"""The media type of streams of server-sent events."""


class Format(ABC):
    """A wire format as far as requests that pass through need it."""

    name: WireFormat
    errors: Errors
    multipart: bool = False
    """Whether requests are forms with files (multipart/form-data) and not JSON."""
    media: bool = False
    """Whether an answer may be other than JSON: audio, subtitles, plain text. Such bytes pass unread."""
    largest_event: int = MAX_EVENT
    """Bytes of a stream's event up to which it is held back until it is whole."""
    estimate: Callable[[dict[str, Any]], bytes] | None = None
    """For token counts: the answer with our own estimate, for models whose provider does not count."""
    ping: bytes = PING
    """Keeps a silent stream alive and means nothing."""

    @abstractmethod
    def outline(self, parsed: dict[str, Any]) -> Outline:
        """Read and check what a plan needs. Raises InvalidRequest."""

    @abstractmethod
    def usage_of(self, body: bytes) -> Usage | None:
        """The usage in a whole answer, None where there is none that can be read."""

    def broken_off(self, body: bytes) -> WireError | None:
        """The error by which a whole answer ends, where the format has a place for one beside the answer."""
        return None

    @abstractmethod
    def observer(self, request_wants_usage: bool) -> Observer:
        """A fresh observer of one stream."""

    def failure(self, error: WireError) -> bytes:
        """An error as the last event of a stream that has passed as it is so far."""
        return b"data: " + self.errors.write(error, "") + b"\n\n"

    def defaults(
        self,
        parsed: dict[str, Any],
        temperature: float | None,
        max_tokens: int | None,
    ) -> dict[str, Any]:
        """Top-level changes that apply a user's preferences to what the client left open. Only chats have any."""
        return {}

    def ask_usage(self, parsed: dict[str, Any]) -> dict[str, Any]:
        """Top-level changes that make a stream report usage. Most formats report it unasked."""
        return {}

    def rename(self, parsed: dict[str, Any], model: str) -> dict[str, Any]:
        """Top-level changes that name the upstream's model."""
        return {} if parsed.get("model") == model else {"model": model}

    def adapt(self, parsed: dict[str, Any], quirks: Collection[str]) -> dict[str, Any]:
        """Top-level changes that a provider's quirks demand of a request that passes."""
        return {}

    def address(self, path: str, model: str, stream: bool) -> str:
        """The path and query below a provider's base URL; `path` is the catalogue row's."""
        return plain_address(path, model)


def plain_address(path: str, model: str) -> str:
    """The row's path with the model in the place of `{model}`, percent-encoded."""
    return path.replace("{model}", quote(model, safe="")) if "{" in path else path


class EmbeddingFormat(Format):
    """A format of embeddings that can be translated into every other one."""

    @abstractmethod
    def read_ask(self, body: dict[str, Any]) -> EmbeddingAsk:
        """A client's request. Raises InvalidRequest naming the field."""

    @abstractmethod
    def write_ask(self, ask: EmbeddingAsk, model: str) -> Written:
        """A request for a provider. Raises UnsupportedField."""

    @abstractmethod
    def read_answer(self, body: bytes) -> EmbeddingAnswer:
        """A provider's answer. Raises MalformedAnswer."""

    @abstractmethod
    def write_answer(self, answer: EmbeddingAnswer, asked: dict[str, Any], model: str) -> bytes:
        """The answer for a client that sent `asked` and calls the model `model`."""


class ClientChat(Format):
    """A chat format as far as clients speak it."""

    hottest: float
    """The highest temperature the format takes."""
    messages: str = "messages"
    """The field of a request that holds its messages."""
    words: Mapping[str, str] = {}
    """This format's names of fields that writers name as OpenAI's chat does, for errors and dropped hints."""

    @abstractmethod
    def read_request(self, body: dict[str, Any]) -> Conversation:
        """A client's request. Raises InvalidRequest naming the field."""

    @abstractmethod
    def write_answer(self, answer: Answer, label: AnswerLabel) -> bytes:
        """A whole answer for a client."""

    @abstractmethod
    def writer(self, label: AnswerLabel, include_usage: bool) -> StreamWriter:
        """A fresh writer of one stream for a client."""


class ProviderChat(ABC):
    """A chat format as far as a provider needs to speak it."""

    name: WireFormat
    errors: ErrorReader
    hottest: float
    event_type: str = EVENT_STREAM
    """The media type of its streams."""

    @abstractmethod
    def write_request(
        self,
        conversation: Conversation,
        model: str,
        stream: bool,
        quirks: Collection[str] = (),
        facts: Facts = NO_FACTS,
    ) -> Draft:
        """A request for a provider with the given quirks, and a model of the given facts, which it is not yet fitted
        to. Raises UnsupportedField, InvalidRequest."""

    @abstractmethod
    def read_answer(self, body: bytes) -> Answer:
        """A provider's whole answer. Raises MalformedAnswer."""

    @abstractmethod
    def reader(self) -> EventReader:
        """A fresh reader of one stream from a provider."""

    def address(self, path: str, model: str, stream: bool) -> str:
        """As `Format.address`."""
        return plain_address(path, model)


class ChatFormat(ClientChat, ProviderChat):
    """A chat format that clients and providers speak: it can be translated in both directions."""

    errors: Errors  # pyright: ignore[reportIncompatibleVariableOverride] # never assigned anew


class ProviderRerank(ABC):
    """A rerank format that providers speak and clients do not."""

    name: WireFormat
    errors: ErrorReader

    @abstractmethod
    def write(self, parsed: dict[str, Any], model: str) -> Written:
        """A client's rerank request for a provider. Raises UnsupportedField, InvalidRequest."""

    @abstractmethod
    def read(self, body: bytes, asked: dict[str, Any], model: str, answer_id: str) -> tuple[bytes, Usage | None]:
        """A provider's answer to `asked` as the client's format has it. Raises MalformedAnswer."""

    def address(self, path: str, model: str, stream: bool) -> str:
        """As `Format.address`."""
        return plain_address(path, model)
