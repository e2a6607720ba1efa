"""Bodies and replies of key tests. A key goes in and never comes out."""

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from ownkey.control.shapes import STRUCT, Body, Line, Reply
from ownkey.domain.pasted_key import pasted_key
from ownkey.gateway import KeyTestResult
from ownkey.workbench.endpoint import Step


def _read_key(value: SecretStr) -> SecretStr:
    return SecretStr(pasted_key(value.get_secret_value()))


Key = Annotated[SecretStr, AfterValidator(_read_key)]
"""A provider's key as somebody pasted it; see `domain.pasted_key`."""
Config = Annotated[
    dict[Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,39}$")], Annotated[Line, Field(max_length=500)]],
    Field(max_length=20),
]
"""What a provider requires besides a key; nothing in it is secret."""


class KeyTrial(Body):
    """A key to test without storing it."""

    provider: Line = Field(max_length=64)
    api_key: Key = SecretStr("")
    base_url: Line | None = Field(None, max_length=2048)
    config: Config | None = None


class KeyTestReply(Reply):
    """The result of a test. `steps` have the shape of every other test in Ownkey. `hint` says that an unsaved key looks
    like another provider's."""

    success: bool
    status: str
    message: str
    latency_ms: float | None
    steps: list[Annotated[Step, STRUCT]]
    hint: str | None = None


def show_test(result: KeyTestResult, hint: str | None = None) -> KeyTestReply:
    works = result.status.value == "valid"
    return KeyTestReply(
        success=works,
        status=result.status.value,
        message=result.message,
        latency_ms=result.latency_ms,
        steps=[Step("key check", works, result.message, result.latency_ms)],
        hint=hint,
    )
