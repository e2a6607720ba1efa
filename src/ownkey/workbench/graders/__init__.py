"""What tells a good answer from a bad one.

    kinds        the table of check types; `validate_check`, the gate for imports and runs
    grading      `Graders`, the engine's port, and `verdict` over the grades of one answer
    values       a check's value as text or texts
    finding      what one check found, and why it could not decide
    texts        equals, contains and its family, starts-with, word-count
    patterns     regex, in linear time
    json_text    JSON in answers, read within bounds
    schema       is-json, contains-json, and the form of their schemas
    schema_workers, schema_worker   schemas compiled and applied in processes of their own
    measures     latency, cost
    similar      similar, by embeddings
    judge        a model that grades rubrics and prefers answers; questions and opinions are its two directions
    preference   what a judge preferred, over many pairs

Names and meanings of the check types are promptfoo's (site/docs/configuration/expected-outputs in its repository);
docs/graders.md says for each exactly what passes, and where we differ. Nothing here runs code of a suite.
"""

from ownkey.workbench.graders.grading import Graders, verdict
from ownkey.workbench.graders.kinds import CHECK_TYPES, validate_check

__all__ = ["CHECK_TYPES", "Graders", "validate_check", "verdict"]
