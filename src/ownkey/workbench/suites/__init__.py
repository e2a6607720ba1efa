"""Where prompts come from.

    files        reading our own suite files. Strict: an error names the file and the prompt
    shipped      the eight curated suites
    curated/     their texts
    workloads    prompts for the benchmark
    filler       English text of an exact size
    bench/       its written prompts and the words that generated text is made of
    imports/     suites that people bring, in other tools' formats

docs/suites.md describes what the curated suites test.
"""

from ownkey.workbench.suites.files import CuratedSuites, SuiteFileError
from ownkey.workbench.suites.workloads import Workloads

__all__ = ["CuratedSuites", "SuiteFileError", "Workloads"]
