"""Runs as files: CSV, JSON, JSONL, JUnit and HTML, written while the results are read.

    run        what is exported, a format, one request's outcome in a word
    document   the JSON's types, and its schema
    writing    records → document, as JSON and JSON lines
    reading    document → records: an exported run can be exported again
    csv_file, junit, report/   one format each

`docs/exports.md` describes the formats for people.
"""

from ownkey.workbench.export.csv_file import export_csv
from ownkey.workbench.export.junit import export_junit
from ownkey.workbench.export.reading import read_json
from ownkey.workbench.export.report import export_html
from ownkey.workbench.export.run import ExportedRun, Format
from ownkey.workbench.export.writing import export_json, export_jsonl

FORMATS = {
    "csv": Format("text/csv; charset=utf-8", ".csv", export_csv),
    "json": Format("application/json", ".json", export_json),
    "jsonl": Format("application/jsonl", ".jsonl", export_jsonl),
    "junit": Format("application/xml", ".xml", export_junit),
    "html": Format("text/html; charset=utf-8", ".html", export_html),
}
"""By the name that the API and the command line give them."""

__all__ = [
    "FORMATS",
    "ExportedRun",
    "Format",
    "export_csv",
    "export_html",
    "export_json",
    "export_jsonl",
    "export_junit",
    "read_json",
]
