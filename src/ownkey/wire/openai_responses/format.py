"""OpenAI's responses put together."""

from functools import partial
from typing import Any

from ownkey.domain.formats import WireFormat
from ownkey.wire.format import ChatFormat, Echoing
from ownkey.wire.openai_chat import errors
from ownkey.wire.openai_responses import answers, outline, requests, usage
from ownkey.wire.openai_responses.answer_writing import AnswerWriter
from ownkey.wire.openai_responses.observe import ResponseObserver
from ownkey.wire.openai_responses.stream_writing import ResponseWriter
from ownkey.wire.openai_responses.streams import STREAMS


def echo(asked: dict[str, Any]) -> Echoing:
    """Writers of the answer to `asked`, which a response repeats."""
    return Echoing(AnswerWriter(asked), partial(ResponseWriter, asked=asked))


OPENAI_RESPONSES = ChatFormat(
    name=WireFormat.OPENAI_RESPONSES,
    outline=outline.outline,
    defaults=outline.defaults,
    ask_usage=outline.ask_usage,
    adapt=outline.adapt,
    usage_of=usage.usage_of,
    observer=ResponseObserver,
    errors=errors,
    requests=requests,
    answers=answers,
    streams=STREAMS,
    hottest=2.0,
    echo=echo,
    words={
        "max_tokens": "max_output_tokens",
        "response_format": "text.format",
        "reasoning_effort": "reasoning.effort",
        "reasoning_content": "input.reasoning",
        "thinking": "reasoning",
        "thinking.display": "reasoning.summary",
        "image_url.url": "input.image_url",
        "image_url.detail": "input.image_url.detail",
        "file.file_data": "input.file_data",
        "messages": "input",
        "messages.role": "input.role",
        "cache_control": "prompt_cache_breakpoint",
    },
)
