"""The smallest value that a client's schema allows."""

from typing import Any

from ownkey.sandbox.errors import Problem, Refused
from ownkey.sandbox.schema import Unsatisfiable, minimal


def instance_of(schema: dict[str, Any]) -> Any:
    """Raises Refused for a schema that nothing satisfies."""
    try:
        return minimal(schema)
    except Unsatisfiable as error:
        raise Refused(Problem(status=400, message=f"Invalid schema: {error}.", param="schema")) from error
