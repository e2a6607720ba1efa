"""Asking a provider whether a key works, with the cheapest call that only a good key can make.

An answer proves a key good only when it looks as that call's answer should. Anything else leaves the
key untested: a proxy's log-in page answers 200, too.
"""

from collections.abc import Callable, Iterable
from typing import Any, Literal, cast

import msgspec
from msgspec import Struct

from ownkey.domain.address import root_of, with_settings
from ownkey.domain.catalogue import KeyCheck, Provider, Quirk
from ownkey.domain.credential import CredentialStatus
from ownkey.domain.secret import Secret
from ownkey.providers.auth import auth_headers, signer_for
from ownkey.providers.phrases import Saying, what_it_says
from ownkey.providers.problem import Problem, read_problem
from ownkey.providers.rows import check_url, is_absolute
from ownkey.providers.verdict import FailureKind, classify

_LIST_MODELS = KeyCheck(method="GET", url="/models")
_LONGEST_QUOTE = 200


class CheckRequest(Struct, frozen=True):
    """The call to make."""

    method: Literal["GET", "POST"]
    url: str
    headers: list[tuple[bytes, bytes]]
    body: bytes = b""


class CheckResult(Struct, frozen=True):
    """What the answer says about the key. `kind` is None for a good answer."""

    status: CredentialStatus
    message: str
    kind: FailureKind | None = None


def check_request(
    provider: Provider, base_url: str, secret: Secret, config: dict[str, str] | None = None, now: float = 0.0
) -> CheckRequest:
    """The check of a key used at `base_url`. Raises InvalidRequest for a key that cannot be sent in a header.

    `now` is Unix seconds: the keys of some providers are not sent but sign the request and its time.

    A check on a host of its own belongs to the provider's own address; a key used elsewhere is not sent to that host;
    it requests the list of models where it is used.
    """
    config = config or {}
    check = with_settings(provider, config).check or _LIST_MODELS
    if is_absolute(check.url) and base_url.rstrip("/") != (provider.base_url or "").rstrip("/"):
        check = _LIST_MODELS
    url, body = check_url(check, root_of(provider, base_url)), check.body.encode()
    headers = auth_headers(provider, secret, config)
    headers += [(name.encode(), value.encode()) for name, value in provider.headers.items()]
    headers.append((b"accept", b"application/json"))
    if check.body:
        headers.append((b"content-type", b"application/json"))
    signer = signer_for(provider, secret, config, base_url)
    if signer is not None:
        headers += signer.sign(check.method.encode(), url, headers, body, now)
    return CheckRequest(check.method, url, headers, body)


def read_check(
    provider: Provider, status: int, body: bytes, headers: Iterable[tuple[bytes, bytes]] = ()
) -> CheckResult:
    """Read the answer to a check. `body` must be free of the key: its message is quoted."""
    if 200 <= status < 300:
        return _read_success(provider, status, body)
    headers = list(headers)
    verdict = classify(provider, status, body, headers)
    problem = read_problem(body, headers)
    quote = _quote(problem)
    if verdict.kind is FailureKind.PERMISSION and what_it_says(problem) is Saying.SCOPE:
        text = f"The key is genuine, but lacks a permission that the test needs ({status}): {quote}"
        return CheckResult(CredentialStatus.VALID, text, verdict.kind)
    message = verdict.message
    if verdict.kind is FailureKind.MODEL_NOT_FOUND:
        message = f"{provider.title} has nothing to test a key with at this address ({status}): is it right?"
    if quote:
        message = f"{message} It says: {quote}" if message.endswith("?") else f"{message.rstrip('.')}: {quote}"
    if verdict.kind is FailureKind.RATE_LIMIT:
        return CheckResult(CredentialStatus.RATE_LIMITED, message, verdict.kind)
    return CheckResult(verdict.credential_status or CredentialStatus.UNTESTED, message, verdict.kind)


def _read_success(provider: Provider, status: int, body: bytes) -> CheckResult:
    try:
        content: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        text = f"{provider.title} answered {status}, but not in JSON: is the address right?"
        return CheckResult(CredentialStatus.UNTESTED, text, FailureKind.UNEXPECTED)
    if isinstance(content, dict):
        fields = cast("dict[str, Any]", content)
        for quirk, reader in _READERS.items():
            result = reader(provider, fields) if quirk in provider.quirks else None
            if result is not None:
                return result
    if not _is_list_of_things(cast("object", content)):
        text = f"{provider.title} answered {status}, but not as this call's answer should be: is the address right?"
        return CheckResult(CredentialStatus.UNTESTED, text, FailureKind.UNEXPECTED)
    if not provider.key_required:
        return CheckResult(CredentialStatus.VALID, f"{provider.title} answers. It may not ask for a key.")
    return _valid(provider)


def _is_list_of_things(content: object) -> bool:
    """A list of models, or the answer to a one-token call: `data`, `models` or `choices`, or a bare array; Bedrock
    lists asynchronous calls."""
    if isinstance(content, list):
        return True
    if not isinstance(content, dict):
        return False
    fields = cast("dict[str, Any]", content)
    return any(isinstance(fields.get(name), list) for name in ("data", "models", "choices", "asyncInvokeSummaries"))


def _valid(provider: Provider, more: str = "") -> CheckResult:
    return CheckResult(CredentialStatus.VALID, f"{provider.title} accepts the key.{more}")


def _exhausted(provider: Provider, text: str) -> CheckResult:
    message = f"{provider.title} accepts the key, but {text}."
    return CheckResult(CredentialStatus.QUOTA_EXHAUSTED, message, FailureKind.QUOTA)


def _key_limit(provider: Provider, content: dict[str, Any]) -> CheckResult | None:
    """OpenRouter: `{"data":{"limit_remaining":…,"usage":…}}`, null meaning no limit."""
    data = content.get("data")
    if not isinstance(data, dict) or "usage" not in data:
        return None
    remaining: object = cast("dict[str, Any]", data).get("limit_remaining")
    if isinstance(remaining, int | float):
        if remaining <= 0:
            return _exhausted(provider, "the key's spending limit is used up")
        return _valid(provider, f" ${remaining:.2f} of the key's limit is left.")
    return _valid(provider)


def _balance(provider: Provider, content: dict[str, Any]) -> CheckResult | None:
    """DeepSeek: `{"is_available":true,"balance_infos":[…]}`."""
    available = content.get("is_available")
    if not isinstance(available, bool):
        return None
    return _valid(provider) if available else _exhausted(provider, "the balance is used up")


def _key_flags(provider: Provider, content: dict[str, Any]) -> CheckResult | None:
    """xAI: flags for a blocked or disabled key and for a blocked team."""
    if not isinstance(content.get("api_key_disabled"), bool):
        return None
    flags = ("api_key_disabled", "api_key_blocked", "team_blocked")
    found = [name.replace("_", " ") for name in flags if content.get(name) is True]
    if found:
        text = f"{provider.title} knows the key, but it cannot be used: {', '.join(found)}."
        return CheckResult(CredentialStatus.REVOKED, text, FailureKind.REVOKED_KEY)
    return _valid(provider)


def _valid_flag(provider: Provider, content: dict[str, Any]) -> CheckResult | None:
    """Cohere: `{"valid":true}`."""
    valid = content.get("valid")
    if not isinstance(valid, bool):
        return None
    if valid:
        return _valid(provider)
    text = f"{provider.title} does not accept the key."
    return CheckResult(CredentialStatus.INVALID, text, FailureKind.INVALID_KEY)


def _inference_scope(provider: Provider, content: dict[str, Any]) -> CheckResult | None:
    """Hugging Face: who the token belongs to, and for a fine-grained one what it may do."""
    if not isinstance(content.get("name"), str):
        return None
    if b'"fineGrained"' in msgspec.json.encode(content) and b'"inference.' not in msgspec.json.encode(content):
        hint = " It lacks the permission to call Inference Providers."
        return CheckResult(CredentialStatus.VALID, _valid(provider).message + hint, FailureKind.PERMISSION)
    return _valid(provider)


_READERS: dict[Quirk, Callable[[Provider, dict[str, Any]], CheckResult | None]] = {
    Quirk.KEY_CHECK_LIMIT: _key_limit,
    Quirk.KEY_CHECK_BALANCE: _balance,
    Quirk.KEY_CHECK_FLAGS: _key_flags,
    Quirk.KEY_CHECK_VALID_FLAG: _valid_flag,
    Quirk.KEY_CHECK_INFERENCE_SCOPE: _inference_scope,
}
"""For providers whose key check reports more than a list of models."""


def _quote(problem: Problem) -> str:
    """The provider's own message, in one short line."""
    line = " ".join("".join(c if c.isprintable() else " " for c in problem.message).split())
    return line if len(line) <= _LONGEST_QUOTE else line[: _LONGEST_QUOTE - 1] + "…"
