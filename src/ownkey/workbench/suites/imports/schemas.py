"""Whether a regular expression or a JSON schema can be used, told before a run and not in its middle."""

from typing import Any

import jsonschema_rs

from ownkey.workbench.suites.imports.nodes import Node, Plain
from ownkey.workbench.suites.imports.problems import quoted

_MOST_REASON = 160


def usable_regex(pattern: str, node: Node) -> str:
    """The pattern, if RE2 takes it: linear in time on every text, so without look-around and back-references.

    Raises:
        SuiteRejected: RE2 refuses it, with its reason.
    """
    # The libraries are heavy and one has no types: they are loaded when a suite needs them.
    import re2

    engine: Any = re2
    options = engine.Options()
    options.log_errors = False
    try:
        engine.compile(pattern, options)
    except engine.error as error:
        reason = error.args[0]
        told = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        raise node.refuse(
            f"The regular expression {quoted(pattern)} cannot be used: {told[:_MOST_REASON]}. "
            "It must be one of RE2: without look-around and back-references."
        ) from None
    return pattern


def usable_schema(schema: Plain, node: Node) -> "dict[str, Plain] | bool":
    """The schema, if it is one (JSON Schema, draft 2020-12 unless `$schema` says another).

    Raises:
        SuiteRejected: it is not a schema, or refers to something outside itself, which is never fetched.
    """
    if not isinstance(schema, dict | bool):
        raise node.refuse(f"A JSON schema must be an object, and is {node.kind}.")

    try:
        jsonschema_rs.validator_for(schema, offline=True, pattern_options=jsonschema_rs.RegexOptions())
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        reason = str(getattr(error, "message", error)).splitlines()[0][:_MOST_REASON]
        raise node.refuse(f"The JSON schema cannot be used: {reason}.") from None
    return schema
