"""Azure's older addresses, which name the deployment and the version: `openai/deployments/<name>/…?api-version=…`."""

from urllib.parse import parse_qs, unquote

from ownkey.sandbox.context import Context
from ownkey.sandbox.errors import Problem, Refused


def deployment(context: Context) -> str:
    """The deployment, empty where the address names none. Raises Refused when it names no version beside it."""
    _, found, after = context.plan.rest.partition("deployments/")
    if not found:
        return ""
    if not parse_qs(context.request.head.query.decode("latin-1")).get("api-version"):
        raise Refused(Problem(status=404, message="Resource not found", code="404"))
    return unquote(after.split("/", 1)[0])
