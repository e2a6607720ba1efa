"""What goes wrong, and the shapes in which vendors say so.

A `Problem` is neutral; a `Shape` turns it into one vendor's JSON. The shapes are those of the
vendors' SDKs and documents; some send an object, some a bare string, one an array.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct, structs

from ownkey.sandbox.keys import KeyDefect


class Problem(Struct, frozen=True, kw_only=True):
    """An error to answer with. `type` and `code` are in OpenAI's vocabulary; `retry_after` in seconds.

    `detail` takes the message's place where a vendor lists what is wrong (Mistral). `head` holds further ready header
    lines, each with its CRLF. A `page` of HTML takes the place of the vendor's JSON.
    """

    status: int
    message: str
    type: str = "invalid_request_error"
    code: str | None = None
    param: str | None = None
    retry_after: int | None = None
    head: str = ""
    page: str = ""
    detail: Any = None

    def saying(self, message: str) -> "Problem":
        """The same problem in other words."""
        return structs.replace(self, message=message)


class Refused(Exception):
    """The request is answered with `problem` instead."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


Shape: TypeAlias = Callable[[Problem, str], Any]
"""(problem, request id) → what to encode as JSON."""


def openai(problem: Problem, request_id: str) -> Any:
    return {
        "error": {
            "message": problem.message,
            "type": problem.type,
            "param": problem.param,
            "code": problem.code,
        }
    }


_ANTHROPIC_TYPES = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def anthropic(problem: Problem, request_id: str) -> Any:
    kind = _ANTHROPIC_TYPES.get(problem.status, "invalid_request_error" if problem.status < 500 else "api_error")
    return {"type": "error", "error": {"type": kind, "message": problem.message}, "request_id": request_id}


def openrouter(problem: Problem, request_id: str) -> Any:
    return {"error": {"message": problem.message, "code": problem.status}}


def azure(problem: Problem, request_id: str) -> Any:
    return {"error": {"code": problem.code or str(problem.status), "message": problem.message}}


def entra(problem: Problem, request_id: str) -> Any:
    """OAuth 2.0's shape with Microsoft's numbers; `code` is the number."""
    number = int(problem.code) if problem.code and problem.code.isdigit() else 900144
    return {
        "error": problem.type,
        "error_description": f"AADSTS{number}: {problem.message}",
        "error_codes": [number],
        "timestamp": "2024-01-01 00:00:00Z",
        "trace_id": request_id,
        "correlation_id": request_id,
    }


def fireworks(problem: Problem, request_id: str) -> Any:
    return {"error": {"object": "error", "type": problem.type, "code": problem.code, "message": problem.message}}


def perplexity(problem: Problem, request_id: str) -> Any:
    return {"error": {"message": problem.message, "type": problem.code or problem.type, "code": problem.status}}


def together(problem: Problem, request_id: str) -> Any:
    return {"id": request_id, **openai(problem, request_id)}


def dashscope(problem: Problem, request_id: str) -> Any:
    return {**openai(problem, request_id), "request_id": request_id}


def mistral(problem: Problem, request_id: str) -> Any:
    if problem.status == 401:
        return {"detail": problem.message}
    return {
        "object": "error",
        "message": problem.message if problem.detail is None else {"detail": problem.detail},
        "type": problem.type,
        "param": problem.param,
        "code": problem.code,
    }


def bare_string(problem: Problem, request_id: str) -> Any:
    return {"error": problem.message}


def cohere(problem: Problem, request_id: str) -> Any:
    return {"id": request_id, "message": problem.message}


_AWS_TYPES = {
    400: "ValidationException",
    401: "UnrecognizedClientException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    408: "ModelTimeoutException",
    424: "ModelErrorException",
    429: "ThrottlingException",
    503: "ServiceUnavailableException",
}


def aws(problem: Problem, request_id: str) -> Any:
    return {"message": problem.message}


def aws_head(problem: Problem) -> str:
    """What kind of error it is stands in a header."""
    named = problem.code if problem.code and problem.code.endswith("Exception") else None
    fallback = "ValidationException" if problem.status < 500 else "InternalServerException"
    return f"x-amzn-errortype: {named or _AWS_TYPES.get(problem.status, fallback)}:http://internal.amazon.com/\r\n"


_GRPC_TEXT = {
    400: "Client specified an invalid argument",
    401: "Unauthenticated",
    402: "Some resource has been exhausted",
    403: "The caller does not have permission to execute the specified operation",
    404: "Some requested entity was not found",
    429: "Some resource has been exhausted",
    503: "The service is currently unavailable",
}


def xai(problem: Problem, request_id: str) -> Any:
    return {"code": _GRPC_TEXT.get(problem.status, "Internal error"), "error": problem.message}


_GOOGLE_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def google_array(problem: Problem, request_id: str) -> Any:
    """Google's OpenAI-compatible surface wraps its error in an array."""
    return [google(problem, request_id)]


def google(problem: Problem, request_id: str) -> Any:
    fallback = "FAILED_PRECONDITION" if problem.status < 500 else "UNKNOWN"
    error: dict[str, Any] = {
        "code": problem.status,
        "message": problem.message,
        "status": _GOOGLE_STATUS.get(problem.status, fallback),
    }
    if problem.code == "API_KEY_INVALID":
        error["details"] = [
            {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "API_KEY_INVALID",
                "domain": "googleapis.com",
                "metadata": {"service": "generativelanguage.googleapis.com"},
            }
        ]
    return {"error": error}


_BY_STATUS: dict[int, tuple[str, str | None, str]] = {
    400: ("invalid_request_error", None, "The request could not be processed."),
    401: ("invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
    402: ("insufficient_quota", "insufficient_quota", "Insufficient credits."),
    403: ("invalid_request_error", "permission_denied", "You are not allowed to use this resource."),
    404: ("invalid_request_error", "model_not_found", "The model does not exist or you do not have access to it."),
    408: ("timeout", None, "The request timed out."),
    409: ("conflict_error", None, "The resource was updated by another request."),
    413: ("invalid_request_error", "request_too_large", "The request exceeds the maximum allowed size."),
    422: ("invalid_request_error", None, "The request was well-formed but could not be followed."),
    429: ("requests", "rate_limit_exceeded", "Rate limit reached."),
    503: ("server_error", "service_unavailable", "The engine is currently overloaded, please try again later."),
    529: ("server_error", None, "Overloaded"),
}


def problem_for_status(status: int) -> Problem:
    """What the model `error-<status>` answers: the right names, no retry-after."""
    fallback = (
        ("invalid_request_error", None, f"The request failed with status {status}.")
        if status < 500
        else ("server_error", None, "The server had an error while processing your request. Sorry about that!")
    )
    kind, code, message = _BY_STATUS.get(status, fallback)
    return Problem(status=status, message=message, type=kind, code=code)


def render(problem: Problem, shape: Shape, request_id: str) -> bytes:
    """The body of an error answer."""
    return msgspec.json.encode(shape(problem, request_id))


OPENAI_KEY_PROBLEMS: dict[KeyDefect, Problem] = {
    KeyDefect.MISSING: Problem(
        status=401,
        message=(
            "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer "
            "auth (i.e. Authorization: Bearer YOUR_KEY)."
        ),
    ),
    KeyDefect.INVALID: Problem(
        status=401,
        code="invalid_api_key",
        message="Incorrect API key provided: {key}. You can find your API key in your account settings.",
    ),
    KeyDefect.LIMITED: Problem(
        status=429,
        type="requests",
        code="rate_limit_exceeded",
        retry_after=1,
        message="Rate limit reached on requests per min (RPM): Limit 3, Used 3, Requested 1. Please try again in 1s.",
    ),
    KeyDefect.BROKE: Problem(
        status=429,
        type="insufficient_quota",
        code="insufficient_quota",
        message=(
            "You exceeded your current quota, please check your plan and billing details. For more information on "
            "this error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors."
        ),
    ),
    KeyDefect.REVOKED: Problem(
        status=403, code="api_key_revoked", message="This API key has been revoked and can no longer be used."
    ),
    KeyDefect.RESTRICTED: Problem(
        status=403,
        message=(
            "You have insufficient permissions for this operation. Missing scopes: api.model.read. Check that you have "
            "the correct role in your organization and project, and if you're using a restricted API key, that it has "
            "the necessary scopes."
        ),
    ),
}
