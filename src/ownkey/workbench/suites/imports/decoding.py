"""From bytes to text and its lines."""

import re
from bisect import bisect_right
from collections.abc import Iterator

from ownkey.workbench.suites.imports.model import ImportLimits
from ownkey.workbench.suites.imports.problems import refused

_BREAK = re.compile(r"\r\n|\r|\n")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")

_BINARY = (
    (b"PK\x03\x04", "a zip archive or an Excel file; save it as CSV (UTF-8) or JSONL"),
    (b"\xd0\xcf\x11\xe0", "an old Excel file; save it as CSV (UTF-8)"),
    (b"\x1f\x8b", "compressed with gzip; unpack it first"),
    (b"PAR1", "a Parquet file; save it as CSV or JSONL"),
    (b"%PDF", "a PDF; save the prompts as CSV or JSONL"),
)
_UTF32 = (b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")
_UTF16 = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))


def check_size(length: int, limits: ImportLimits) -> None:
    """Refuse a file by its length alone, so that a caller can do it before reading it."""
    if length > limits.max_bytes:
        raise refused(
            0,
            None,
            f"The file has {length:,} bytes; at most {limits.max_bytes:,} are accepted. Split it into smaller suites.",
        )


def decoded(data: bytes, limits: ImportLimits) -> str:
    """The file's text without a byte order mark. UTF-8 or marked UTF-16; no NUL."""
    check_size(len(data), limits)
    for magic, what in _BINARY:
        if data.startswith(magic):
            raise refused(0, None, f"The file is {what}.")
    if data.startswith(_UTF32):
        raise refused(1, 1, "The file is in UTF-32; save it as UTF-8.")
    text = _text(data)
    if not text.strip():
        raise refused(0, None, "The file is empty; a suite needs at least one prompt.")
    nul = text.find("\0")
    if nul >= 0:
        line, column = LineTable(text).at(nul)
        raise refused(line, column, "The text holds a NUL character; save the file again as UTF-8 text.")
    return text


def _text(data: bytes) -> str:
    for mark, codec in _UTF16:
        if data.startswith(mark):
            try:
                return data[len(mark) :].decode(codec)
            except UnicodeDecodeError as error:
                line = data[len(mark) : len(mark) + error.start].decode(codec).count("\n") + 1
                raise refused(
                    line, None, f"Byte {error.start + len(mark) + 1} is not valid UTF-16; save the file as UTF-8."
                ) from None
    start = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    try:
        return data[start:].decode()
    except UnicodeDecodeError as error:
        at = start + error.start
        line = len(_BREAK.findall(data[start:at].decode())) + 1
        raise refused(
            line,
            None,
            f"Byte {at + 1} of the file (0x{data[at]:02x}) is not UTF-8; save the file as UTF-8 "
            "(in Excel: “CSV UTF-8 (comma delimited)”).",
        ) from None


class LineTable:
    """Lines and columns of offsets in a text. Lines end as editors count them: LF, CR LF or CR, nothing else."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(found.end() for found in _BREAK.finditer(text))]

    def at(self, offset: int) -> tuple[int, int]:
        """Line and column of a character, both from 1."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1


def lines(text: str) -> Iterator[str]:
    """The lines with their ends, one at a time. Other characters that Unicode calls line ends stay in the line."""
    return (found.group() for found in _LINE.finditer(text))


def breaks(text: str) -> int:
    """How many line ends a text holds."""
    return len(_BREAK.findall(text))
