"""Gemini's generateContent put together."""

from ownkey.domain.formats import WireFormat
from ownkey.wire.format import ChatFormat
from ownkey.wire.gemini import answers, errors, outline, requests, usage
from ownkey.wire.gemini.observe import ContentObserver
from ownkey.wire.gemini.streams import STREAMS
from ownkey.wire.gemini.words import WORDS

GEMINI = ChatFormat(
    name=WireFormat.GEMINI,
    outline=outline.outline,
    defaults=outline.defaults,
    ask_usage=outline.ask_usage,
    usage_of=usage.usage_of,
    observer=ContentObserver,
    errors=errors,
    address=outline.address,
    model_in_body=False,
    requests=requests,
    answers=answers,
    streams=STREAMS,
    hottest=2.0,
    words=WORDS,
)
