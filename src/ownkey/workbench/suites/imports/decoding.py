"""From bytes to text and its lines, and how a file is written: by its ending, else by the beginning of its text."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from enum import StrEnum
from pathlib import PurePosixPath

from ownkey.workbench.suites.imports.model import ImportLimits, SuiteFormat, quoted, refused

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


class Container(StrEnum):
    """What the file is before one asks what its values mean."""

    YAML = "yaml"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"
    TSV = "tsv"


_ENDINGS = {
    ".yaml": Container.YAML,
    ".yml": Container.YAML,
    ".json": Container.JSON,
    ".jsonl": Container.JSONL,
    ".ndjson": Container.JSONL,
    ".csv": Container.CSV,
    ".tsv": Container.TSV,
    ".tab": Container.TSV,
}
_FORMATS = {
    SuiteFormat.PROMPTFOO_YAML: Container.YAML,
    SuiteFormat.PROMPTFOO_JSON: Container.JSON,
    SuiteFormat.PROMPTFOO_JSONL: Container.JSONL,
    SuiteFormat.PROMPTFOO_CSV: Container.CSV,
    SuiteFormat.CSV: Container.CSV,
    SuiteFormat.TSV: Container.TSV,
    SuiteFormat.JSONL: Container.JSONL,
    SuiteFormat.JSON: Container.JSON,
}
_LINES_OF_OBJECTS = re.compile(r"\s*\{[^\r\n]*\}[ \t]*(?:\r\n|\r|\n)\s*\{")
_YAML_BEGINNING = re.compile(r"\s*(?:#[^\r\n]*\s+)*(?:---\s|- |[\w$-]+:(?:\s|$))")
_MOST_NAME = 100


def container(filename: str, text: str, forced: SuiteFormat | None) -> Container:
    """How to read the text.

    Raises:
        SuiteRejected: neither the ending nor the text tells.
    """
    by_ending = _ENDINGS.get(PurePosixPath(basename(filename)).suffix.lower())
    if forced is not None and forced in _FORMATS:
        return _delimited(by_ending, forced)
    if by_ending is Container.JSON and _LINES_OF_OBJECTS.match(text):
        return Container.JSONL
    found = by_ending or _sniffed(text)
    if found is None:
        raise refused(
            0,
            None,
            f"The format of {quoted(basename(filename))} cannot be told; name the file .yaml, .csv, .tsv, "
            ".jsonl or .json, or choose the format.",
        )
    return found


def _delimited(by_ending: Container | None, forced: SuiteFormat) -> Container:
    """A format that is forced, in a table with tabs if the ending says so."""
    found = _FORMATS[forced]
    return Container.TSV if found is Container.CSV and by_ending is Container.TSV else found


def _sniffed(text: str) -> Container | None:
    start = text.lstrip()
    first = start.splitlines()[0] if start else ""
    if start.startswith("["):
        return Container.JSON
    if start.startswith("{"):
        return Container.JSONL if first.rstrip().endswith("}") else Container.JSON
    if "\t" in first:
        return Container.TSV
    if _YAML_BEGINNING.match(text):
        return Container.YAML
    return Container.CSV if "," in first or ";" in first else None


def delimiter(kind: Container, text: str) -> str:
    """The sign between cells. Spreadsheets write `;` or tabs into .csv files where the comma is a decimal sign."""
    if kind is Container.TSV:
        return "\t"
    header = text.lstrip("\r\n").partition("\n")[0]
    others = [sign for sign in ";\t" if sign in header]
    return others[0] if others and "," not in header else ","


def basename(filename: str) -> str:
    """The last part of a path of either kind, without what a terminal or a page would act on."""
    last = re.split(r"[/\\]", filename)[-1]
    return "".join(letter for letter in last if letter.isprintable()).strip()[:_MOST_NAME]


def suite_name(filename: str) -> str:
    """A name for the suite of a file: the file's, without its ending."""
    return PurePosixPath(basename(filename)).stem or "suite"
