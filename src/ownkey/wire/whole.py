"""A whole answer as the events of a stream, and a stream's events as a whole answer.

Some servers answer a request for a stream with one JSON object, and others stream what nobody asked them to stream.
"""

from collections.abc import Iterable

from msgspec import structs

from ownkey.domain.usage import Usage
from ownkey.wire.errors import MalformedAnswer
from ownkey.wire.events import (
    Event,
    Finished,
    ReasoningDelta,
    ReasoningRedacted,
    ReasoningSigned,
    RefusalDelta,
    Started,
    Stopped,
    StreamFailed,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
    UsageReported,
)
from ownkey.wire.neutral import Answer, Part, Reasoning, Refusal, Stop, Text, ToolCall


def events_of(answer: Answer) -> list[Event]:
    """The events that a reader would have yielded had the answer been streamed."""
    out: list[Event] = [Started(answer.id, answer.model)]
    for block, part in enumerate(answer.parts):
        out += _events_of_part(block, part)
    out.append(Stopped(answer.stop))
    if answer.usage is not None:
        out.append(UsageReported(answer.usage))
    out.append(Finished())
    return out


def _events_of_part(block: int, part: Part) -> list[Event]:
    match part:
        case Text():
            return [TextDelta(block, part.text)]
        case Refusal():
            return [RefusalDelta(block, part.text)]
        case ToolCall():
            started = ToolCallStarted(block, part.id, part.name, part.signature, part.freeform, part.namespace)
            return [started, ToolCallDelta(block, part.arguments)] if part.arguments else [started]
        case Reasoning():
            out: list[Event] = []
            if part.text:
                out.append(ReasoningDelta(block, part.text, part.format))
            if part.signature is not None:
                out.append(ReasoningSigned(block, part.signature, part.format))
            if part.redacted is not None:
                out.append(ReasoningRedacted(block, part.redacted, part.format))
            return out
        case _:
            return []


class _Gathering:
    """The parts of an answer while they grow; texts are kept in pieces."""

    def __init__(self) -> None:
        self.begun = Started("", "")
        self.stop = Stop()
        self.usage: Usage | None = None
        self._parts: dict[int, Part] = {}
        self._texts: dict[int, list[str]] = {}

    def take(self, event: Event) -> None:
        match event:
            case Started():
                self.begun, self.usage = event, event.usage
            case Stopped():
                self.stop = event.stop
            case UsageReported():
                self.usage = event.usage
            case StreamFailed():
                raise MalformedAnswer("events that nobody asked for end in a failure", event.error)
            case TextDelta():
                self._add(event.block, Text(""), event.text)
            case RefusalDelta():
                self._add(event.block, Refusal(""), event.text)
            case ReasoningDelta():
                self._add(event.block, Reasoning(format=event.format), event.text)
            case ReasoningSigned():
                thought = self._thought(event.block)
                self._parts[event.block] = structs.replace(thought, signature=event.signature, format=event.format)
            case ReasoningRedacted():
                thought = self._thought(event.block)
                self._parts[event.block] = structs.replace(thought, redacted=event.data, format=event.format)
            case ToolCallStarted():
                call = ToolCall(event.id, event.name, "", None, event.signature, event.freeform, event.namespace)
                self._parts[event.block] = call
            case ToolCallDelta():
                self._texts.setdefault(event.block, []).append(event.arguments)
            case _:
                return

    def _thought(self, block: int) -> Reasoning:
        known = self._parts.get(block)
        return known if isinstance(known, Reasoning) else Reasoning()

    def _add(self, block: int, empty: Part, text: str) -> None:
        self._parts.setdefault(block, empty)
        self._texts.setdefault(block, []).append(text)

    def parts(self) -> tuple[Part, ...]:
        return tuple([self._whole(block, part) for block, part in self._parts.items()])

    def _whole(self, block: int, part: Part) -> Part:
        text = "".join(self._texts.get(block, ()))
        if isinstance(part, ToolCall):
            return structs.replace(part, arguments=text)
        return structs.replace(part, text=text) if isinstance(part, Text | Refusal | Reasoning) else part


def answer_of(events: Iterable[Event]) -> Answer:
    """The answer that a reader's events add up to. Raises MalformedAnswer where they end in a failure."""
    gathering = _Gathering()
    for event in events:
        gathering.take(event)
    begun = gathering.begun
    return Answer(id=begun.id, model=begun.model, parts=gathering.parts(), stop=gathering.stop, usage=gathering.usage)
