"""How each vendor's answers differ, as rows of data. A provider without a row answers as OpenAI does."""

from collections.abc import Callable
from typing import Literal

from msgspec import Struct, structs

from ownkey.sandbox import errors
from ownkey.sandbox.errors import OPENAI_KEY_PROBLEMS, Problem, Shape
from ownkey.sandbox.keys import KeyDefect

EVENT_STREAM = "text/event-stream; charset=utf-8"
CONTENT_FILTER = (
    '"content_filter_results":{"hate":{"filtered":false,"severity":"safe"},"self_harm":{"filtered":false,'
    '"severity":"safe"},"sexual":{"filtered":false,"severity":"safe"},"violence":{"filtered":false,"severity":"safe"}}'
)
_AZURE_OPENING = (
    'data: {"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0,'
    f"{CONTENT_FILTER}}}]}}\n\n"
).encode()
"""What Azure's content filter says of the prompt, before the first chunk of the answer."""


class Vendor(Struct, frozen=True, kw_only=True):
    """One vendor's ways. `key_problems` replace OpenAI's texts for bad keys, `{key}` being the masked key.

    `request_id` is the header that carries the request's id; `head` further header lines.
    With `version_required`, calls need a known `anthropic-version`. `opening` is sent before a
    stream's first event. `error_head` gives further header lines of an error, `events_type` is the media type of
    streams. `extras` names the fields that this vendor adds to a chat answer;
    `reasoning_field` is where it puts a chat answer's reasoning. Without `keeps_responses` its
    responses API is stateless.
    """

    name: str
    shape: Shape = errors.openai
    key_problems: dict[KeyDefect, Problem] = {}
    request_id: str = "x-request-id"
    head: str = ""
    key_required: bool = True
    public_models: bool = False
    models_shape: Literal["openai", "anthropic", "openrouter", "array", "google", "gemini"] = "openai"
    reasoning_field: str = "reasoning_content"
    extras: Literal["none", "openai", "openrouter", "deepseek", "groq", "azure"] = "none"
    opening: bytes = b""
    error_head: Callable[[Problem], str] | None = None
    events_type: str = EVENT_STREAM
    version_required: bool = False
    keeps_responses: bool = True
    reports_usage: bool = False
    """Whether streams report usage unasked."""
    short_call_ids: bool = False
    """Whether ids of calls have nine letters and digits."""

    def key_problem(self, defect: KeyDefect) -> Problem:
        """The error that this vendor returns for a bad key."""
        if defect is KeyDefect.REJECTED and defect not in self.key_problems:
            defect = KeyDefect.INVALID
        return self.key_problems.get(defect) or OPENAI_KEY_PROBLEMS[defect]


ANTHROPIC = Vendor(
    name="anthropic",
    shape=errors.anthropic,
    request_id="request-id",
    head="anthropic-organization-id: 00000000-0000-4000-8000-000000000000\r\n",
    models_shape="anthropic",
    version_required=True,
    key_problems={
        KeyDefect.MISSING: Problem(status=401, message="x-api-key header is required"),
        KeyDefect.INVALID: Problem(status=401, message="invalid x-api-key"),
        KeyDefect.LIMITED: Problem(
            status=429,
            retry_after=1,
            message="This request would exceed your organization's rate limit of 50 requests per minute.",
            head="anthropic-ratelimit-requests-limit: 50\r\nanthropic-ratelimit-requests-remaining: 0\r\n",
        ),
        KeyDefect.BROKE: Problem(
            status=400,
            message=(
                "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade "
                "or purchase credits."
            ),
        ),
        KeyDefect.REVOKED: Problem(status=403, message="This API key has been revoked."),
        KeyDefect.RESTRICTED: Problem(
            status=403, message="Your API key does not have permission to use the specified resource."
        ),
    },
)

_ANTHROPIC_ELSEWHERE = structs.replace(ANTHROPIC, version_required=False)
"""The messages format as other providers serve it."""

_ANTHROPIC_AS_OPENAI = Vendor(name="anthropic", request_id="request-id", models_shape="anthropic")
"""Anthropic's OpenAI-compatible surface."""

GEMINI = Vendor(
    name="gemini",
    shape=errors.google,
    models_shape="gemini",
    key_problems={
        KeyDefect.MISSING: Problem(status=401, message="Missing or invalid Authorization header."),
        KeyDefect.INVALID: Problem(
            status=401, code="API_KEY_INVALID", message="API key not valid. Please pass a valid API key."
        ),
        KeyDefect.REJECTED: Problem(
            status=400, code="API_KEY_INVALID", message="API key not valid. Please pass a valid API key."
        ),
    },
)

BEDROCK = Vendor(
    name="bedrock",
    shape=errors.aws,
    request_id="x-amzn-requestid",
    error_head=errors.aws_head,
    events_type="application/vnd.amazon.eventstream",
    key_problems={
        KeyDefect.MISSING: Problem(
            status=403, message="Missing Authentication Token", code="MissingAuthenticationTokenException"
        ),
        KeyDefect.INVALID: Problem(
            status=401,
            message="The security token included in the request is invalid.",
            code="UnrecognizedClientException",
        ),
        KeyDefect.REJECTED: Problem(
            status=403,
            message="The security token included in the request is invalid.",
            code="UnrecognizedClientException",
        ),
        KeyDefect.LIMITED: Problem(
            status=429,
            message="Too many requests, please wait before trying again.",
            code="ThrottlingException",
            retry_after=1,
        ),
        KeyDefect.BROKE: Problem(
            status=402,
            message=(
                "Model access is denied due to INVALID_PAYMENT_INSTRUMENT: A valid payment instrument must be provided."
            ),
            code="AccessDeniedException",
        ),
        KeyDefect.REVOKED: Problem(
            status=403,
            message="This API key has been revoked and can no longer be used.",
            code="AccessDeniedException",
        ),
        KeyDefect.RESTRICTED: Problem(
            status=403,
            message=(
                "User: arn:aws:iam::123456789012:user/sandbox is not authorized to perform: bedrock:* because no "
                "identity-based policy allows it"
            ),
            code="AccessDeniedException",
        ),
    },
)

_GEMINI_AS_OPENAI = structs.replace(GEMINI, shape=errors.google_array, models_shape="google")
"""Google's OpenAI-compatible surface."""

_GEMINI_ELSEWHERE = structs.replace(GEMINI, name="elsewhere")
"""Gemini's format as others serve it."""

_BEDROCK_AS_OPENAI = Vendor(name="bedrock")
"""Bedrock's OpenAI-compatible surface."""

ENTRA = Vendor(name="entra", shape=errors.entra, request_id="x-ms-request-id", key_required=False)
"""The server of access tokens, whose callers show their secret in the body."""

_AS_OPENAI = {"anthropic": _ANTHROPIC_AS_OPENAI, "bedrock": _BEDROCK_AS_OPENAI, "gemini": _GEMINI_AS_OPENAI}

_ROWS = (
    Vendor(name="openai", head="openai-version: 2020-10-01\r\nopenai-processing-ms: 1\r\n", extras="openai"),
    ANTHROPIC,
    Vendor(
        name="openrouter",
        keeps_responses=False,
        shape=errors.openrouter,
        public_models=True,
        models_shape="openrouter",
        reasoning_field="reasoning",
        extras="openrouter",
        opening=b": OPENROUTER PROCESSING\n\n",
        reports_usage=True,
        key_problems={
            KeyDefect.MISSING: Problem(status=401, message="No auth credentials found"),
            KeyDefect.INVALID: Problem(status=401, message="User not found."),
            KeyDefect.BROKE: Problem(
                status=402, message="Insufficient credits. Add more using https://openrouter.ai/settings/credits"
            ),
            KeyDefect.LIMITED: Problem(status=429, message="Rate limit exceeded: limit_rpm.", retry_after=1),
            KeyDefect.REVOKED: Problem(status=403, message="This key has been disabled."),
        },
    ),
    Vendor(
        name="groq",
        keeps_responses=False,
        reasoning_field="reasoning",
        extras="groq",
        key_problems={
            KeyDefect.INVALID: Problem(status=401, message="Invalid API Key", code="invalid_api_key"),
            KeyDefect.BROKE: Problem(status=402, message="Payment required.", type="insufficient_quota"),
        },
    ),
    Vendor(
        name="xai",
        shape=errors.xai,
        key_problems={
            KeyDefect.INVALID: Problem(
                status=401,
                message="Incorrect API key provided: {key}. You can obtain an API key from https://console.x.ai.",
            ),
            KeyDefect.REJECTED: Problem(
                status=400,
                message="Incorrect API key provided: {key}. You can obtain an API key from https://console.x.ai.",
            ),
            KeyDefect.BROKE: Problem(
                status=429, message="Your team has either used all available credits or reached its spending limit."
            ),
        },
    ),
    Vendor(
        name="deepseek",
        extras="deepseek",
        key_problems={
            KeyDefect.INVALID: Problem(
                status=401,
                type="authentication_error",
                code="invalid_request_error",
                message="Authentication Fails, Your api key: {key} is invalid",
            ),
            KeyDefect.BROKE: Problem(
                status=402, type="unknown_error", code="invalid_request_error", message="Insufficient Balance"
            ),
        },
    ),
    Vendor(
        name="huggingface",
        keeps_responses=False,
        shape=errors.bare_string,
        public_models=True,
        key_problems={
            KeyDefect.MISSING: Problem(status=401, message="Invalid username or password."),
            KeyDefect.RESTRICTED: Problem(
                status=403,
                message=(
                    "This authentication method does not have sufficient permissions to call Inference Providers on "
                    "behalf of user ownkey-sandbox"
                ),
            ),
            KeyDefect.INVALID: Problem(status=401, message="Invalid credentials in Authorization header"),
            KeyDefect.BROKE: Problem(
                status=402,
                message="You have exceeded your monthly included credits for Inference Providers.",
            ),
        },
    ),
    Vendor(
        name="together",
        shape=errors.together,
        models_shape="array",
        key_problems={
            KeyDefect.BROKE: Problem(
                status=402, type="credit_limit", message="Credit limit exceeded, please add credits to your account."
            )
        },
    ),
    Vendor(
        name="fireworks",
        shape=errors.fireworks,
        key_problems={
            KeyDefect.INVALID: Problem(
                status=401, code="invalid_request_error", message="The API key you provided is invalid."
            ),
            KeyDefect.BROKE: Problem(
                status=402, code="payment_required", message="Your account has run out of credits."
            ),
        },
    ),
    Vendor(
        name="mistral",
        shape=errors.mistral,
        reports_usage=True,
        short_call_ids=True,
        key_problems={
            KeyDefect.MISSING: Problem(status=401, message="Unauthorized"),
            KeyDefect.INVALID: Problem(status=401, message="Unauthorized"),
            KeyDefect.LIMITED: Problem(
                status=429, type="rate_limited", code="1300", message="Rate limit exceeded", retry_after=1
            ),
            KeyDefect.BROKE: Problem(
                status=402, type="payment_required", code="3002", message="You have exceeded your usage limit."
            ),
        },
    ),
    Vendor(
        name="perplexity",
        shape=errors.perplexity,
        key_problems={
            KeyDefect.INVALID: Problem(
                status=401, code="invalid_api_key", message="Invalid API key provided. Please check your API key."
            ),
        },
    ),
    Vendor(name="qwen", shape=errors.dashscope),
    Vendor(
        name="cohere",
        shape=errors.cohere,
        key_problems={
            KeyDefect.MISSING: Problem(status=401, message="no api key supplied"),
            KeyDefect.INVALID: Problem(status=401, message="invalid api token"),
            KeyDefect.BROKE: Problem(status=402, message="Please add or update your payment method to continue."),
        },
    ),
    GEMINI,
    Vendor(
        name="azure",
        shape=errors.azure,
        request_id="apim-request-id",
        extras="azure",
        opening=_AZURE_OPENING,
        key_problems={
            KeyDefect.INVALID: Problem(
                status=401, code="401", message="Access denied due to invalid subscription key or wrong API endpoint."
            )
        },
    ),
    BEDROCK,
    *(Vendor(name=name, key_required=False, keeps_responses=False) for name in ("ollama", "vllm")),
    *(Vendor(name=name, key_required=False) for name in ("lmstudio", "custom")),
)

_BY_NAME = {vendor.name: vendor for vendor in _ROWS}


def native_vendor(name: str) -> Vendor:
    """How a provider answers in its own ways; OpenAI's under its name when it has no row."""
    return _BY_NAME.get(name) or Vendor(name=name)


def openai_vendor(name: str) -> Vendor:
    """How a provider answers in OpenAI's formats."""
    return _AS_OPENAI.get(name) or native_vendor(name)


def anthropic_vendor(name: str) -> Vendor:
    """How a provider answers in Anthropic's format."""
    return ANTHROPIC if native_vendor(name) is ANTHROPIC else _ANTHROPIC_ELSEWHERE


def gemini_vendor(name: str) -> Vendor:
    """How a provider answers in Google's format."""
    return GEMINI if native_vendor(name) is GEMINI else _GEMINI_ELSEWHERE


def ollama_vendor(name: str) -> Vendor:
    """How Ollama answers in its own format."""
    return structs.replace(native_vendor(name), shape=errors.bare_string)


def bedrock_vendor(name: str) -> Vendor:
    """How a provider answers in Bedrock's format."""
    return BEDROCK


def entra_vendor(name: str) -> Vendor:
    """How the server of access tokens answers."""
    return ENTRA
