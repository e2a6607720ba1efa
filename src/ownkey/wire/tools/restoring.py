"""Calls in an answer under the client's own names and in their own form, whole and streamed."""

from collections.abc import Iterable

from msgspec import Struct, structs

from ownkey.wire.events import Event, Finished, Stopped, StreamFailed, TextDelta, ToolCallDelta, ToolCallStarted
from ownkey.wire.neutral import Answer, Part, Text, ToolCall
from ownkey.wire.tools.freeform import InputDecoder, text_of


class Called(Struct, frozen=True):
    """The tool that the client knows under this name, in this namespace."""

    name: str
    namespace: str | None = None
    freeform: bool = False


class Restoring(Struct, frozen=True):
    """What the names in an answer mean, by the name that was sent. `one_call` holds further calls back, and `opening`
    is the beginning of the answer's text, which the model was given and continued."""

    called: dict[str, Called]
    one_call: bool = False
    opening: str = ""

    def answer(self, answer: Answer) -> Answer:
        parts: list[Part] = []
        had_call = False
        opening = self.opening
        for part in answer.parts:
            if isinstance(part, ToolCall):
                if had_call and self.one_call:
                    continue
                had_call = True
                parts.append(self._call(part))
            elif opening and isinstance(part, Text):
                parts.append(Text(_opened(opening, part.text), part.cache))
                opening = ""
            else:
                parts.append(part)
        return structs.replace(answer, parts=tuple(parts))

    def _call(self, call: ToolCall) -> ToolCall:
        tool = self.called.get(call.name)
        if tool is None:
            return call
        arguments = text_of(call.arguments) if tool.freeform else call.arguments
        return structs.replace(
            call, name=tool.name, namespace=tool.namespace, freeform=tool.freeform, arguments=arguments
        )

    def stream(self) -> "RestoringStream":
        """For the events of one stream."""
        return RestoringStream(self)


def _opened(opening: str, text: str) -> str:
    """Some models begin anew instead of going on."""
    return text if text.lstrip().startswith(opening) else opening + text


class RestoringStream:
    """Restores the events of one stream."""

    __slots__ = ("_decoders", "_first", "_opening", "_restoring")

    def __init__(self, restoring: Restoring) -> None:
        self._restoring = restoring
        self._first: int | None = None
        self._opening = restoring.opening
        self._decoders: dict[int, InputDecoder] = {}

    def feed(self, events: Iterable[Event]) -> list[Event]:
        out: list[Event] = []
        for event in events:
            if isinstance(event, ToolCallStarted):
                self._started(event, out)
            elif isinstance(event, ToolCallDelta):
                self._delta(event, out)
            elif self._opening and isinstance(event, TextDelta) and event.text.strip():
                out.append(TextDelta(event.block, _opened(self._opening, event.text)))
                self._opening = ""
            else:
                if self._decoders and isinstance(event, Stopped | Finished | StreamFailed):
                    self._finish(out)
                out.append(event)
        return out

    def _started(self, event: ToolCallStarted, out: list[Event]) -> None:
        if self._first is None:
            self._first = event.block
        elif self._restoring.one_call:
            return
        tool = self._restoring.called.get(event.name)
        if tool is None:
            out.append(event)
            return
        if tool.freeform:
            self._decoders[event.block] = InputDecoder()
        out.append(structs.replace(event, name=tool.name, namespace=tool.namespace, freeform=tool.freeform))

    def _delta(self, event: ToolCallDelta, out: list[Event]) -> None:
        if self._restoring.one_call and event.block != self._first:
            return
        decoder = self._decoders.get(event.block)
        if decoder is None:
            out.append(event)
            return
        text = decoder.feed(event.arguments)
        if text:
            out.append(ToolCallDelta(event.block, text))

    def _finish(self, out: list[Event]) -> None:
        """The answer stops: what came in another form than was asked for is the text as well."""
        for block, decoder in self._decoders.items():
            text = decoder.finish()
            if text:
                out.append(ToolCallDelta(block, text))
        self._decoders.clear()
