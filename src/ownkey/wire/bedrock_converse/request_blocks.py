"""The parts of a conversation as Bedrock's content blocks."""

import re
from base64 import b64encode
from binascii import Error as NotBase64
from binascii import a2b_base64
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from ownkey.domain.errors import UnsupportedField
from ownkey.wire.fields import encode_text, object_raw, unsupported
from ownkey.wire.neutral import (
    ANTHROPIC_REASONING,
    CacheMark,
    Document,
    Image,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)

Block = dict[str, Any]

_IMAGES = {"image/png": "png", "image/jpeg": "jpeg", "image/gif": "gif", "image/webp": "webp"}
_DOCUMENTS = {
    "application/pdf": "pdf",
    "text/csv": "csv",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "text/html": "html",
    "text/plain": "txt",
    "text/markdown": "md",
}
_LIFETIMES = frozenset({"5m", "1h"})
_NOT_IN_IDS = re.compile(r"[^a-zA-Z0-9_.:-]")
_NOT_IN_TITLES = re.compile(r"[^A-Za-z0-9()\[\] -]+")
_LONGEST_ID, _LONGEST_TITLE = 64, 200


class BlockWriter:
    """Writes the parts of one request. `dropped` gathers the hints left out; `caches` is whether the model takes
    cache points."""

    def __init__(self, dropped: list[str], caches: bool) -> None:
        self._dropped = dropped
        self._caches = caches
        self._titles: set[str] = set()

    def blocks(self, parts: Sequence[Part]) -> list[Block]:
        """Raises UnsupportedField, InvalidRequest."""
        blocks: list[Block] = []
        for part in parts:
            if isinstance(part, Text):
                blocks += self.text(part)
            elif isinstance(part, Refusal):
                blocks += self.text(Text(part.text))
            elif isinstance(part, Reasoning):
                blocks += self._reasoning(part)
            elif isinstance(part, ToolCall):
                use = {"toolUseId": call_id(part.id), "name": part.name, "input": object_raw(part.arguments)}
                blocks += [{"toolUse": use}, *self.mark(part.cache)]
            elif isinstance(part, ToolResult):
                blocks += [{"toolResult": self._result(part)}, *self.mark(part.cache)]
            elif isinstance(part, Image):
                blocks += [self._image(part), *self.mark(part.cache)]
            else:
                blocks += [self._document(part), *self.mark(part.cache)]
        return blocks

    def text(self, part: Text) -> list[Block]:
        """Nothing for a blank text, which Bedrock refuses."""
        return [{"text": part.text}, *self.mark(part.cache)] if part.text.strip() else []

    def mark(self, mark: CacheMark | None) -> list[Block]:
        """The cache point that ends what may be cached."""
        if mark is None:
            return []
        if not self._caches:
            self._dropped.append("cache_control")
            return []
        point = {"type": "default"}
        if mark.ttl in _LIFETIMES:
            point["ttl"] = mark.ttl
        return [{"cachePoint": point}]

    def _reasoning(self, part: Reasoning) -> list[Block]:
        """Reasoning goes back only with its signature; anything else is refused there."""
        if part.format in (None, ANTHROPIC_REASONING):
            if part.redacted is not None and _is_base64(part.redacted):
                return [{"reasoningContent": {"redactedContent": part.redacted}}]
            if part.signature is not None and part.redacted is None:
                return [{"reasoningContent": {"reasoningText": {"text": part.text, "signature": part.signature}}}]
        self._dropped.append("reasoning_content")
        return []

    def _result(self, result: ToolResult) -> Block:
        blocks = self.blocks(result.parts)
        content = [block for block in blocks if "cachePoint" not in block]
        if len(content) < len(blocks):
            self._dropped.append("cache_control")
        written: Block = {"toolUseId": call_id(result.call_id), "content": content or [{"text": "(no output)"}]}
        if result.is_error:
            written["status"] = "error"
        return written

    def _image(self, image: Image) -> Block:
        if image.detail not in (None, "auto"):
            self._dropped.append("image_url.detail")
        if image.data is None:
            raise unsupported("image_url.url", "must hold the image's bytes: Amazon Bedrock fetches none.")
        format_ = _IMAGES.get(image.media_type.lower())
        if format_ is None:
            raise unsupported(
                "image_url.url", f"holds {image.media_type}; Amazon Bedrock reads PNG, JPEG, GIF and WebP."
            )
        return {"image": {"format": format_, "source": {"bytes": _checked(image.data, "image_url.url")}}}

    def _document(self, document: Document) -> Block:
        if document.url is not None:
            raise unsupported("document.source", "must hold the file itself for Amazon Bedrock, which fetches none.")
        if document.text is not None:
            format_, data = "txt", b64encode(encode_text(document.text)).decode()
        else:
            media_type = document.media_type.partition(";")[0].strip().lower()
            known = _DOCUMENTS.get(media_type)
            if known is None:
                raise unsupported("file.file_data", f"holds {document.media_type}, which Amazon Bedrock does not read.")
            format_, data = known, _checked(document.data or "", "file.file_data")
        name = self._title(document.name, format_)
        return {"document": {"format": format_, "name": name, "source": {"bytes": data}}}

    def _title(self, name: str | None, format_: str) -> str:
        """A name of the characters that Bedrock takes, each used once in a request."""
        plain = (name or "").removesuffix(f".{format_}")
        title = " ".join(_NOT_IN_TITLES.sub(" ", plain).split())[: _LONGEST_TITLE - 6].strip() or "document"
        if name is not None and title not in (name, plain):
            self._dropped.append("file.filename")
        number = 1
        unique = title
        while unique in self._titles:
            number += 1
            unique = f"{title} ({number})"
        self._titles.add(unique)
        return unique


def call_id(text: str) -> str:
    """Ids of other providers may hold other characters than Bedrock's, and more of them."""
    plain = _NOT_IN_IDS.sub("_", text) or "call"
    if len(plain) <= _LONGEST_ID:
        return plain
    return plain[:31] + "_" + blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest()


def _is_base64(text: str) -> bool:
    try:
        return bool(a2b_base64(text, strict_mode=True))
    except (NotBase64, ValueError):
        return False


def _checked(data: str, param: str) -> str:
    """The data as it is: padded base64 of something. Raises UnsupportedField."""
    if not _is_base64(data):
        raise UnsupportedField(f"{param} does not hold base64, which Amazon Bedrock needs.", param=param)
    return data
