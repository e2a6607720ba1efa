"""Where prompts come from.

    files        the eight curated suites and other suite files. Strict: an error names the file and the prompt
    curated/     their texts
    workloads    prompts for the benchmark, English text of an exact size included
    bench/       its written prompts and the words that generated text is made of
    imports/     suites that people bring, in other tools' formats

docs/suites.md describes what the curated suites test.
"""

from ownkey.workbench.suites.files import CuratedSuites, SuiteFileError
from ownkey.workbench.suites.workloads import Workloads

__all__ = ["CuratedSuites", "SuiteFileError", "Workloads"]
