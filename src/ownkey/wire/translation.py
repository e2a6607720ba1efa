"""From one format to another through the neutral model: the one place that joins a reader to a writer.

A provider's format can carry out the operation of the client's here; planning sees to that.
"""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec
from msgspec import structs

from ownkey.domain.errors import InvalidRequest
from ownkey.domain.facts import NO_FACTS, Facts
from ownkey.domain.formats import WireFormat
from ownkey.domain.usage import Usage
from ownkey.wire.errors import MalformedAnswer
from ownkey.wire.fields import decode, encode
from ownkey.wire.fit import fit
from ownkey.wire.format import ClientChat, EventReader, WayBack, Written
from ownkey.wire.json_mode import OPENING, fit_json, modes_of
from ownkey.wire.neutral import Answer, AnswerLabel
from ownkey.wire.openai_chat.answers import DONE
from ownkey.wire.registry import CLIENT_CHATS, EMBEDDING_FORMATS, FORMATS, PROVIDER_CHATS, PROVIDER_RERANKS
from ownkey.wire.tools.functions import fit_tools
from ownkey.wire.tools.restoring import Restoring
from ownkey.wire.tools.rules import rules_of
from ownkey.wire.whole import answer_of, events_of
from ownkey.wire.wishes import Wishes, fill_in
from ownkey.wire.writing import StreamWriter

_OBJECT = msgspec.json.Decoder(dict[str, Any])


def translate_request(
    source: WireFormat,
    target: WireFormat,
    parsed: dict[str, Any],
    *,
    model: str,
    stream: bool,
    wishes: Wishes,
    quirks: Collection[str] = (),
    facts: Facts = NO_FACTS,
    without: Collection[str] = (),
) -> Written:
    """A client's request for a provider, fitted to its model. `without` are fields that Ownkey does not add.

    Raises InvalidRequest, UnsupportedField.
    """
    if source in EMBEDDING_FORMATS:
        asked = EMBEDDING_FORMATS[target].write_ask(EMBEDDING_FORMATS[source].read_ask(parsed), model)
        return structs.replace(asked, back=WayBack(True))
    if target in PROVIDER_RERANKS:
        return structs.replace(PROVIDER_RERANKS[target].write(parsed, model), back=WayBack(True))
    spoken, wanted = CLIENT_CHATS[source], PROVIDER_CHATS[target]
    temperature = wishes.temperature
    if temperature is not None:
        # A preference is a wish: it bends to the target, where a value the client sent would be refused.
        temperature = min(temperature, spoken.hottest, wanted.hottest)
    filled, ours = fill_in(spoken, parsed, Wishes(temperature, wishes.max_tokens))
    conversation = spoken.read_request(parsed | filled)
    try:
        tools = fit_tools(conversation, rules_of(target, facts))
        shaped = fit_json(tools.conversation, modes_of(tools.conversation, target, quirks, facts), facts.prefill)
        draft = wanted.write_request(shaped.conversation, model, stream, quirks, facts)
        ours += draft.ours
        _check_messages(draft.body, spoken)
        fitted = fit(target, draft.body, facts, ours, model=model, without=without, translated=True)
    except InvalidRequest as error:
        raise _in_words(error, spoken.words) from None
    # Hints bear the client's own names already.
    dropped = (*tools.adapted, *shaped.adapted, *draft.dropped)
    names = [name if name in conversation.hints else spoken.words.get(name, name) for name in dropped]
    asked_by = "thinking" if conversation.thinking.effort is None else "reasoning_effort"
    adapted = [asked_by if name in _ASKS_TO_THINK else name for name in fitted.adaptations]
    names += [spoken.words.get(name, name) for name in adapted]
    restoring = tools.restoring
    if shaped.begun:
        restoring = structs.replace(restoring or Restoring({}), opening=OPENING)
    return Written(
        encode(fitted.applied_to(draft.body)),
        tuple(dict.fromkeys(names)),
        tuple(name for name in ours if name not in without),
        WayBack(True, restoring),
    )


_ASKS_TO_THINK = frozenset({"thinking", "reasoning", "reasoning_effort"})


def _check_messages(body: Mapping[str, Any], spoken: ClientChat) -> None:
    """Raise InvalidRequest where nothing is left to answer, such as instructions by themselves."""
    if not body.get("messages", body.get("contents", True)):
        text = f"The request holds no message: send at least one with content in `{spoken.messages}`."
        raise InvalidRequest(text, param=spoken.messages)


def in_words(format_: WireFormat, names: tuple[str, ...]) -> tuple[str, ...]:
    """Fields named as a client of the format knows them."""
    chat = CLIENT_CHATS.get(format_)
    return names if chat is None else tuple([chat.words.get(name, name) for name in names])


def _in_words(error: InvalidRequest, words: Mapping[str, str]) -> InvalidRequest:
    """The error with the field named as the client knows it."""
    name = error.param or ""
    if name not in words:
        return error
    text = error.public.removeprefix(name)
    return type(error)(words[name] + text if text != error.public else error.public, param=words[name])


def translate_answer(
    source: WireFormat, target: WireFormat, body: bytes, label: AnswerLabel, restoring: Restoring | None = None
) -> tuple[bytes, Usage | None]:
    """A provider's whole answer (in `source`) for a client (in `target`), and its usage. Raises MalformedAnswer."""
    if source in EMBEDDING_FORMATS:
        found = EMBEDDING_FORMATS[source].read_answer(body)
        return EMBEDDING_FORMATS[target].write_answer(found, label.asked, label.model), found.usage
    if source in PROVIDER_RERANKS:
        return PROVIDER_RERANKS[source].read(body, label.asked, label.model, label.id)
    answer = PROVIDER_CHATS[source].read_answer(body)
    if restoring is not None:
        answer = restoring.answer(answer)
    return CLIENT_CHATS[target].write_answer(answer, label), answer.usage


def stream_answer(
    source: WireFormat, target: WireFormat, body: bytes, label: AnswerLabel, include_usage: bool, back: WayBack
) -> tuple[bytes, Usage | None]:
    """As `translate_answer`, as the stream that the client asked for where the provider sent none."""
    if source not in PROVIDER_CHATS:
        # Text completions: a whole answer has the shape of a chunk.
        fields = decode(_OBJECT, body)
        if fields.get("error") is not None:
            raise MalformedAnswer("an error in an answer with status 200", FORMATS[source].errors.read(200, body))
        return b"data: " + encode(fields) + b"\n\n" + DONE, FORMATS[source].usage_of(body)
    answer = _restored(PROVIDER_CHATS[source].read_answer(body), back)
    writer = new_writer(target, label, include_usage)
    written = b"".join([writer.write(event) for event in events_of(answer)]) + writer.finish()
    return written if back.names is None else back.names.restored(written), answer.usage


def gather_answer(
    source: WireFormat, target: WireFormat, body: bytes, label: AnswerLabel, back: WayBack
) -> tuple[bytes, Usage | None]:
    """As `translate_answer`, from the stream that a provider sent though none was asked for."""
    reader = new_reader(source)
    answer = _restored(answer_of([*reader.feed(body), *reader.finish()]), back)
    written = CLIENT_CHATS[target].write_answer(answer, label)
    return written if back.names is None else back.names.restored(written), answer.usage


def _restored(answer: Answer, back: WayBack) -> Answer:
    return answer if back.restoring is None else back.restoring.answer(answer)


def new_reader(source: WireFormat) -> EventReader:
    """A reader of one stream of a provider's."""
    return PROVIDER_CHATS[source].reader()


def new_writer(target: WireFormat, label: AnswerLabel, include_usage: bool) -> StreamWriter:
    """A writer of one stream for a client."""
    return CLIENT_CHATS[target].writer(label, include_usage)
