"""How a file is written: by its ending, and where that says nothing, by the beginning of its text."""

import re
from enum import StrEnum
from pathlib import PurePosixPath

from ownkey.workbench.suites.imports.model import SuiteFormat
from ownkey.workbench.suites.imports.problems import quoted, refused


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
