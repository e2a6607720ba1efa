"""People's own suites: bytes in, prompts out. Pure, and safe on whatever is uploaded.

    reading      the way from bytes to a suite
    model        options, limits, the result          problems    faults with their lines
    decoding     bytes → text                         detection   which format it is
    yaml_nodes, json_nodes, delimited                 text → values that know their place
    promptfoo_*  configurations, tests, CSV           openai_evals, plain
    checks       what an answer must satisfy          templates   prompts with variables

Formats, limits and what is refused: docs/imports.md.
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
