"""What a wire format consists of. The parts are modules or small classes that fit these protocols."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import quote

from msgspec import Struct

from ownkey.domain.errors import OwnkeyError
from ownkey.domain.formats import WireFormat
from ownkey.domain.usage import Usage
from ownkey.wire.embeddings import EmbeddingAnswer, EmbeddingAsk
from ownkey.wire.errors import WireError
from ownkey.wire.events import Event
from ownkey.wire.neutral import Answer, Conversation
from ownkey.wire.sse import MAX_EVENT


class Outline(Struct, frozen=True):
    """The few facts of a request that a plan needs. `max_tokens` is None when the client set no limit."""

    model: str
    stream: bool = False
    max_tokens: int | None = None


class Written(Struct, frozen=True):
    """A request for a provider; `dropped` names the client's hints that its format cannot express."""

    body: bytes
    dropped: tuple[str, ...] = ()


class RequestReader(Protocol):
    def read(self, body: dict[str, Any]) -> Conversation:
        """A client's request. Raises InvalidRequest naming the field."""
        ...


class RequestWriter(Protocol):
    def write(self, conversation: Conversation, model: str, stream: bool, quirks: Collection[str] = ()) -> Written:
        """A request for a provider with the given quirks. Raises UnsupportedField, InvalidRequest."""
        ...


class Requests(RequestReader, RequestWriter, Protocol):
    """Requests in both directions."""


class AnswerReader(Protocol):
    def read(self, body: bytes) -> Answer:
        """A provider's whole answer. Raises MalformedAnswer."""
        ...


class AnswerWriter(Protocol):
    def write(self, answer: Answer, *, model: str, created: int, answer_id: str) -> bytes:
        """The answer for a client; `created` is in Unix seconds."""
        ...


class Answers(AnswerReader, AnswerWriter, Protocol):
    """Whole answers in both directions."""


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
    def feed(self, data: bytes) -> list[Event]:
        """The events that `data` completes; nothing follows Finished or StreamFailed."""
        ...

    def finish(self) -> list[Event]:
        """To be called at the end of the body: a StreamFailed when the stream was cut short."""
        ...


class EventWriter(Protocol):
    def write(self, event: Event) -> bytes:
        """The client's bytes for `event`, which may be empty."""
        ...

    def finish(self) -> bytes:
        """What is still due when no more events come: an error, unless the stream is closed already."""
        ...


class NewWriter(Protocol):
    def __call__(self, model: str, created: int, answer_id: str, include_usage: bool) -> EventWriter: ...


class EventSink(Protocol):
    @property
    def writer(self) -> NewWriter:
        """`writer(…)` is fresh for each stream."""
        ...

    @property
    def ping(self) -> bytes:
        """Keeps a silent stream alive and means nothing."""
        ...


class EventSource(Protocol):
    @property
    def reader(self) -> Callable[[], EventReader]:
        """`reader()` is fresh for each stream."""
        ...


@dataclass(frozen=True, slots=True)
class Source:
    """Streams that are only read."""

    reader: Callable[[], EventReader]


@dataclass(frozen=True, slots=True)
class Streams:
    """`reader()` and `writer(…)` are fresh for each stream; `ping` keeps a silent one alive and means nothing."""

    reader: Callable[[], EventReader]
    writer: NewWriter
    ping: bytes


@dataclass(frozen=True, slots=True)
class Sink:
    """Streams that are only written."""

    writer: NewWriter
    ping: bytes


class Observer(Watched, Protocol):
    """Watches a stream that passes as it is."""

    def feed(self, data: bytes) -> bytes:
        """The bytes to forward: `data` itself unless something is held back or taken out."""
        ...

    def finish(self) -> bytes:
        """To be called at the end of the body: the bytes that were held back."""
        ...


class ErrorReader(Protocol):
    def read(self, status: int, body: bytes) -> WireError: ...


class Errors(ErrorReader, Protocol):
    def write(self, error: WireError, request_id: str) -> bytes: ...

    def write_own(self, error: OwnkeyError, request_id: str) -> bytes: ...


class Defaults(Protocol):
    def __call__(
        self, parsed: dict[str, Any], temperature: float | None, max_tokens: int | None, quirks: Collection[str] = ()
    ) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Echoing:
    """Writers for the answer to one request, in a format whose answers repeat their request."""

    answers: AnswerWriter
    writer: NewWriter


class Address(Protocol):
    def __call__(self, path: str, model: str, stream: bool) -> str:
        """The path, and query if any, below a provider's base URL; `path` is the catalogue row's."""
        ...


EVENT_STREAM = "text/event-stream"
"""The media type of streams of server-sent events."""


def plain_address(path: str, model: str, stream: bool) -> str:
    """The row's path with the model in the place of `{model}`, percent-encoded, for streams too."""
    del stream
    return path.replace("{model}", quote(model, safe="")) if "{" in path else path


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A wire format as far as requests that pass through need it."""

    name: WireFormat
    outline: Callable[[dict[str, Any]], Outline]
    """Read and check what a plan needs. Raises InvalidRequest."""
    defaults: Defaults
    """Top-level changes for what the client left open."""
    ask_usage: Callable[[dict[str, Any]], dict[str, Any]]
    """Top-level changes that make a stream report usage; empty when the client asked for it itself."""
    usage_of: Callable[[bytes], Usage | None]
    """The usage in a whole answer, None where there is none that can be read."""
    observer: Callable[[bool], Observer]
    """`(request_wants_usage)`: a fresh observer of one stream."""
    errors: Errors
    address: Address = plain_address
    """Where a provider answers this format; see `Address`."""
    model_in_body: bool = True
    """False where the address names the model and the body has no field for it."""
    rename: Callable[[dict[str, Any], str], dict[str, Any]] | None = None
    """`(parsed, model)`: the top-level changes that name the upstream's model, where it is not the field `model`."""
    adapt: Callable[[dict[str, Any], Collection[str]], dict[str, Any]] | None = None
    """`(parsed, quirks)`: top-level changes that a provider's quirks demand of a request that passes."""
    multipart: bool = False
    """Whether requests are forms with files (multipart/form-data) and not JSON."""
    media: bool = False
    """Whether an answer may be other than JSON: audio, subtitles, plain text. Such bytes pass unread."""
    failure: Callable[[WireError], bytes] | None = None
    """An error as the last event of a stream, for formats that stream and are no ChatFormat."""
    estimate: Callable[[dict[str, Any]], bytes] | None = None
    """For counts of tokens: the answer with our own estimate, for models whose provider does not count."""
    largest_event: int = MAX_EVENT
    """Bytes of a stream's event up to which it is held back until it is whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingFormat(Format):
    """A chat format as far as clients speak it."""

    requests: RequestReader
    answers: AnswerWriter
    streams: EventSink
    hottest: float
    """The highest temperature the format takes."""
    echo: Callable[[dict[str, Any]], Echoing] | None = None
    """Writers of the answer to a request, where answers repeat it; `answers` and `streams` know nothing of it."""
    words: Mapping[str, str] = field(default_factory=dict[str, str])
    """This format's names of fields that writers name as OpenAI's chat does, for what is refused or dropped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatFormat(IncomingFormat):
    """A format that can be translated into every other ChatFormat."""

    requests: Requests
    answers: Answers
    streams: Streams


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingFormat(Format):
    """A format of embeddings that can be translated into every other one."""

    read_ask: Callable[[dict[str, Any]], EmbeddingAsk]
    """A client's request. Raises InvalidRequest naming the field."""
    write_ask: Callable[[EmbeddingAsk, str], Written]
    """`(ask, model)`: a request for a provider. Raises UnsupportedField."""
    read_answer: Callable[[bytes], EmbeddingAnswer]
    """A provider's answer. Raises MalformedAnswer."""
    write_answer: Callable[[EmbeddingAnswer, dict[str, Any], str], bytes]
    """`(answer, asked, model)`: the answer for a client that sent `asked` and calls the model so."""


class ProviderChat(Protocol):
    """A chat format as far as a provider needs to speak it: every ChatFormat, and formats that no client speaks."""

    @property
    def name(self) -> WireFormat: ...

    @property
    def address(self) -> Address: ...

    @property
    def requests(self) -> RequestWriter: ...

    @property
    def answers(self) -> AnswerReader: ...

    @property
    def streams(self) -> EventSource: ...

    @property
    def errors(self) -> ErrorReader: ...

    @property
    def hottest(self) -> float: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingFormat:
    """A chat format that providers speak and clients do not."""

    name: WireFormat
    requests: RequestWriter
    answers: AnswerReader
    streams: EventSource
    errors: ErrorReader
    hottest: float
    address: Address = plain_address
    event_type: str = EVENT_STREAM
    """The media type of its streams."""
