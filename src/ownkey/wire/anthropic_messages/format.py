"""Anthropic's messages put together."""

from ownkey.domain.formats import WireFormat
from ownkey.wire.anthropic_messages import answers, errors, outline, requests, usage
from ownkey.wire.anthropic_messages.observe import MessageObserver
from ownkey.wire.anthropic_messages.streams import STREAMS
from ownkey.wire.format import ChatFormat

ANTHROPIC_MESSAGES = ChatFormat(
    name=WireFormat.ANTHROPIC_MESSAGES,
    outline=outline.outline,
    defaults=outline.defaults,
    ask_usage=outline.ask_usage,
    usage_of=usage.usage_of,
    observer=MessageObserver,
    errors=errors,
    requests=requests,
    answers=answers,
    streams=STREAMS,
    hottest=1.0,
    words={
        "stop": "stop_sequences",
        "user": "metadata.user_id",
        "parallel_tool_calls": "tool_choice.disable_parallel_tool_use",
        "response_format": "output_config.format",
        "reasoning_effort": "output_config.effort",
        "reasoning_content": "thinking",
        "image_url.url": "image.source",
        "file.file_data": "document.source",
        "file.filename": "document.title",
        "messages.tool_call_id": "messages.tool_use_id",
    },
)
