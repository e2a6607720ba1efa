"""Estimating a conversation's tokens where no tokenizer is at hand.

Tokenizers differ by vendor and model, and their vocabularies are downloads. Text is counted by the kinds of its
characters. The shares were fitted to OpenAI's two public vocabularies over a hundred files of prose, code,
data and event streams; 97 of them lay within a fifth. Other tokenizers may count otherwise.

    text        0.22 tokens a Latin letter, 0.07 a blank, 0.8 a line end, 0.65 a digit, 0.5 a punctuation mark;
                0.45 an accented, Greek or Cyrillic letter and the like, 0.85 a Chinese or Japanese character
                and the like, 2 an emoji
    message     4 tokens of frame
    tool        8 tokens of frame, and its name, description and schema as text
    tool call   8 tokens of frame, and its name and arguments as text; results likewise
    image       1600 tokens, what Anthropic counts for the largest that is not scaled down
    document    its text, or 2000 tokens for each 100 kB of a PDF file, at least one such step
"""

import string
from math import ceil

import msgspec

from ownkey.wire.neutral import (
    Conversation,
    Document,
    Image,
    Part,
    Reasoning,
    Refusal,
    Text,
    Tool,
    ToolCall,
)

_ENCODE = msgspec.json.Encoder().encode
_MESSAGE = 4
_FRAME = 8
_IMAGE = 1600
_PDF_STEP = 2000
_PDF_STEP_BYTES = 100_000
_SHARES = (
    (string.ascii_letters.encode(), 0.22),
    (b" \t", 0.07),
    (b"\r\n", 0.8),
    (string.digits.encode(), 0.65),
    (string.punctuation.encode(), 0.5),
    (bytes(range(0xC2, 0xE0)), 0.45),
    (bytes(range(0xE0, 0xF0)), 0.85),
    (bytes(range(0xF0, 0xF5)), 2.0),
)
"""Bytes that begin a character in UTF-8, and the tokens it comes to."""


def estimated_tokens(conversation: Conversation) -> int:
    """About how many tokens a model reads."""
    total = sum(text_tokens(part.text) for part in conversation.system) + (_MESSAGE if conversation.system else 0)
    for turn in conversation.turns:
        total += _MESSAGE + sum(map(_part, turn.parts))
    total += sum(map(_tool, conversation.tools))
    if conversation.output is not None and conversation.output.schema is not None:
        total += _FRAME + _json(conversation.output.schema)
    return ceil(total)


def text_tokens(text: str) -> float:
    """About how many tokens a text has. Removing characters of a kind is the quickest way to count them."""
    raw = text.encode("utf-8", "replace")
    size = len(raw)
    return sum((size - len(raw.translate(None, kind))) * share for kind, share in _SHARES)


def _part(part: Part) -> float:
    match part:
        case Text() | Refusal():
            return text_tokens(part.text)
        case Image():
            return _IMAGE
        case Document():
            return _document(part)
        case Reasoning():
            return text_tokens(part.text) + len(part.redacted or "") / 4
        case ToolCall():
            return _FRAME + text_tokens(part.name) + text_tokens(part.arguments)
        case _:
            return _FRAME + sum(map(_part, part.parts))


def _document(document: Document) -> float:
    if document.text is not None:
        return text_tokens(document.text)
    size = len(document.data or "") * 3 / 4
    return _PDF_STEP * max(1, ceil(size / _PDF_STEP_BYTES))


def _tool(tool: Tool) -> float:
    return _FRAME + text_tokens(tool.name) + text_tokens(tool.description or "") + _json(tool.parameters or {})


def _json(value: object) -> float:
    return text_tokens(_ENCODE(value).decode())
