"""Tells a good answer from a bad one.

    kinds        the table of check types; `validate_check`, the gate for imports and runs
    grading      `Graders`, the engine's port, and `verdict` over the grades of one answer
    finding      what one check found, and why it could not decide; a check's value as text or texts
    text_checks  equals, contains and its family, starts-with, word-count, regex in linear time
    schema       is-json, contains-json, JSON in answers read within bounds, and the form of their schemas
    schema_workers, schema_worker   schemas compiled and applied in processes of their own
    measures     latency, cost, and similar by embeddings
    judge        a model that grades rubrics and prefers answers
    questions    the prompts to a judge, and its replies

Names and meanings of the check types are promptfoo's (site/docs/configuration/expected-outputs in its repository);
docs/graders.md states for each exactly what passes, and where Ownkey differs. No code of a suite is executed.
"""

from ownkey.workbench.graders.grading import Graders, verdict
from ownkey.workbench.graders.kinds import CHECK_TYPES, validate_check

__all__ = ["CHECK_TYPES", "Graders", "validate_check", "verdict"]
