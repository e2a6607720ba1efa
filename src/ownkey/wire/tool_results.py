"""Results of tools for formats whose `tool` messages hold text alone."""

from collections.abc import Sequence

from ownkey.wire.neutral import Document, Image, Part, Text, ToolCall, ToolResult


def split_result(result: ToolResult, dropped: list[str]) -> tuple[list[str], list[Part]]:
    """The texts of a result, and the parts for the user message behind the results: its images and files.

    The marks that such a message cannot bear are named in `dropped`.
    """
    texts: list[str] = []
    files: list[Part] = []
    for part in result.parts:
        text = plain_text(part)
        if text is None:
            files.append(part)
        else:
            texts.append(text)
    if files and not texts:
        texts.append("The result is in the files of the next user message.")
    if result.is_error:
        dropped.append("is_error")
        if not any(texts):
            texts = ["The tool reported an error."]
    if result.cache is not None:
        dropped.append("cache_control")
    return texts, [Text(f"Files returned by the tool call {result.call_id}:"), *files] if files else []


def plain_text(part: Part) -> str | None:
    """The text of a part that is one, a plain-text document included."""
    if isinstance(part, Text):
        return part.text
    return part.text if isinstance(part, Document) else None


def with_cache_mark(parts: Sequence[Part]) -> bool:
    """Whether any part asks to be cached."""
    return any(isinstance(part, Text | Image | Document) and part.cache is not None for part in parts)


def with_call_signature(parts: Sequence[Part]) -> bool:
    """Whether any call bears the proof that only its own vendor reads."""
    return any(isinstance(part, ToolCall) and part.signature is not None for part in parts)
