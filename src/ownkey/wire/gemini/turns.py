"""A client's `contents` into turns: parts of all kinds, and ids for calls that have none.

Ids are optional at Google, where a result belongs to the call of its name and place. A call without one gets
one by its number in the conversation, so that it keeps it in every later request. The chunks of a streamed
answer come back as one content each, and are joined.
"""

from base64 import b64decode
from binascii import Error
from collections.abc import Sequence
from typing import Any

import msgspec

from ownkey.domain.errors import InvalidRequest
from ownkey.wire.fields import object_text, unsupported
from ownkey.wire.gemini import request_shapes as shape
from ownkey.wire.gemini.signatures import standard_base64, thought
from ownkey.wire.neutral import (
    GEMINI_REASONING,
    Document,
    Image,
    Part,
    Reasoning,
    Text,
    ToolCall,
    ToolResult,
    Turn,
)

_ROLES: dict[str, shape.Role] = {"user": "user", "model": "assistant", "function": "user"}
_GOOGLES_OWN = ("executableCode", "codeExecutionResult", "toolCall", "toolResponse")
_HINTS = ("videoMetadata", "mediaResolution", "partMetadata")
_GOOGLES_FILES = ("gs://", "https://generativelanguage.googleapis.com/")


class _Ids:
    """Which calls wait for their results."""

    def __init__(self) -> None:
        self._count = 0
        self._open: list[tuple[str, str]] = []

    def of_call(self, call: shape.FunctionCall) -> str:
        id_ = call.id or f"call_{self._count}"
        self._count += 1
        self._open.append((id_, call.name))
        return id_

    def of_result(self, response: shape.FunctionResponse) -> str:
        """By id where both sides name one, else the first open call of the name."""
        found = next((at for at, (id_, _) in enumerate(self._open) if response.id and id_ == response.id), None)
        if found is None:
            found = next((at for at, (_, name) in enumerate(self._open) if name == response.name), None)
        if found is not None:
            return self._open.pop(found)[0]
        return response.id or f"call_{response.name}"


def texts_of(content: shape.Content | None) -> tuple[Text, ...]:
    """The system instruction. Raises UnsupportedField where it holds more than text."""
    texts: list[Text] = []
    for index, part in enumerate((content and content.parts) or ()):
        if part.text is None:
            raise unsupported(f"systemInstruction.parts[{index}]", "must hold text.")
        texts.append(Text(part.text))
    return tuple(texts)


def read_turns(contents: Sequence[shape.Content]) -> tuple[tuple[Turn, ...], dict[str, Any]]:
    """The turns, and the hints among their parts by name. Raises InvalidRequest, UnsupportedField."""
    ids, hints = _Ids(), dict[str, Any]()
    turns: list[tuple[shape.Role, list[Part]]] = []
    for index, content in enumerate(contents):
        where = f"contents[{index}]"
        role = _ROLES.get(content.role or "user")
        if role is None:
            raise InvalidRequest(f"{where}.role must be user or model.", param=f"{where}.role")
        if not turns or turns[-1][0] != role:
            turns.append((role, []))
        parts = turns[-1][1]
        for number, part in enumerate(content.parts or ()):
            place = f"{where}.parts[{number}]"
            _check(part, place, hints)
            if role == "user":
                parts.append(_user_part(part, ids, place))
            else:
                _add_answer(parts, part, ids, place)
    return tuple(Turn(role, tuple(parts)) for role, parts in turns), hints


def _check(part: shape.Part, where: str, hints: dict[str, Any]) -> None:
    for name, value in zip(shape.Part.__struct_encode_fields__, msgspec.structs.astuple(part), strict=True):
        if value is None:
            continue
        if name in _GOOGLES_OWN:
            raise unsupported(f"{where}.{name}", "belongs to a tool that Google runs itself.")
        if name in _HINTS:
            hints[f"contents.parts.{name}"] = None


def _user_part(part: shape.Part, ids: _Ids, where: str) -> Part:
    if part.function_response is not None:
        return _result(part.function_response, ids, f"{where}.functionResponse")
    if part.function_call is not None:
        raise InvalidRequest(f"{where}.functionCall belongs to a content of the role model.", param=where)
    if part.text is not None:
        return Text(part.text)
    return _file(part, where)


def _add_answer(parts: list[Part], part: shape.Part, ids: _Ids, where: str) -> None:
    """Append a part of the model's; texts and thoughts that follow one another are pieces of one."""
    if part.function_call is not None:
        call = part.function_call
        parts.append(ToolCall(ids.of_call(call), call.name, object_text(call.args or {}), None, part.thought_signature))
    elif part.thought:
        new = thought(part.text or "", part.thought_signature)
        last = parts[-1] if parts else None
        if isinstance(last, Reasoning) and last.signature is None and last.redacted is None and last.text:
            parts.pop()
            new = Reasoning(last.text + new.text, new.signature, new.redacted, new.format)
        if new.text or new.signature or new.redacted:
            parts.append(new)
    elif part.text is not None:
        if part.thought_signature is not None:
            parts.append(Reasoning(redacted=part.thought_signature, format=GEMINI_REASONING))
        last = parts[-1] if parts else None
        if isinstance(last, Text):
            parts[-1] = Text(last.text + part.text)
        elif part.text:
            parts.append(Text(part.text))
    elif part.function_response is not None:
        raise InvalidRequest(f"{where}.functionResponse belongs to a content of the role user.", param=where)
    elif part.inline_data is not None or part.file_data is not None:
        raise unsupported(where, "is a file that a model made, which cannot be translated.")
    elif part.thought_signature is None:
        raise _empty(where)


def _result(response: shape.FunctionResponse, ids: _Ids, where: str) -> ToolResult:
    """Google's keys are `output` and `error`, its SDK's `result`; without them the whole object is the output."""
    value: Any = response.response or {}
    is_error = False
    if len(value) == 1:
        key, inner = next(iter(value.items()))
        is_error = key == "error"
        value = inner if key in ("output", "result", "error") else value
    text = value if isinstance(value, str) else object_text(value)
    parts: list[Text | Image | Document] = [] if value == {} and response.parts else [Text(text)]
    for index, part in enumerate(response.parts or ()):
        place = f"{where}.parts[{index}]"
        parts.append(_file(shape.Part(inline_data=part.inline_data, file_data=part.file_data), place))
    return ToolResult(ids.of_result(response), tuple(parts), is_error)


def _file(part: shape.Part, where: str) -> Image | Document:
    if part.inline_data is not None:
        blob = part.inline_data
        kind, data = blob.mime_type.lower(), standard_base64(blob.data)
        if kind.startswith("image/"):
            return Image(data=data, media_type=kind)
        if kind.startswith("text/"):
            return Document("text/plain", text=_decoded(data, where), name=blob.display_name)
        if kind == "application/pdf":
            return Document(kind, data=data, name=blob.display_name)
        raise unsupported(f"{where}.inlineData.mimeType", f"is {kind[:80]!r}: images and documents are translated.")
    if part.file_data is not None:
        return _linked(part.file_data, f"{where}.fileData")
    raise _empty(where)


def _linked(file: shape.FileData, where: str) -> Image | Document:
    if file.file_uri.startswith(_GOOGLES_FILES) or not file.file_uri.startswith(("https://", "http://")):
        raise unsupported(f"{where}.fileUri", "names a file that only Google can read; send its bytes as inlineData.")
    kind = (file.mime_type or "").lower()
    if kind.startswith("image/"):
        return Image(url=file.file_uri)
    if kind == "application/pdf":
        return Document(kind, url=file.file_uri, name=file.display_name)
    raise unsupported(f"{where}.mimeType", f"is {kind[:80]!r}: images and PDF files are translated.")


def _decoded(data: str, where: str) -> str:
    try:
        return b64decode(data, validate=True).decode()
    except (Error, ValueError):
        raise InvalidRequest(f"{where}.inlineData.data is not UTF-8 text in base64.", param=where) from None


def _empty(where: str) -> InvalidRequest:
    return InvalidRequest(f"{where} is empty: a part holds text, a file, a call or a result.", param=where)
