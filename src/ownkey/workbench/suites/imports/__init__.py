"""People's own suites: bytes in, prompts out. Pure, and safe on any upload.

    reading      from bytes to a suite
    model        options, limits, the result, errors with their lines
    decoding     bytes → text, and which format it is
    yaml_nodes, json_nodes, delimited   text → values with their place (`nodes`)
    promptfoo, promptfoo_case, promptfoo_prompts   configurations, tests, CSV
    plain        tables, JSON and OpenAI's evals; `chat` their messages
    checks       what an answer must satisfy
    templates    prompts with variables
    gathering    the prompts and errors so far, within the limits

Formats, limits and what is rejected: docs/imports.md.
"""

from ownkey.workbench.suites.imports.decoding import check_size
from ownkey.workbench.suites.imports.model import (
    Comparison,
    ImportedSuite,
    ImportLimits,
    ImportOptions,
    Mapping,
    Problem,
    SuiteFormat,
    SuiteRejected,
)
from ownkey.workbench.suites.imports.reading import read_suite

__all__ = [
    "Comparison",
    "ImportLimits",
    "ImportOptions",
    "ImportedSuite",
    "Mapping",
    "Problem",
    "SuiteFormat",
    "SuiteRejected",
    "check_size",
    "read_suite",
]
