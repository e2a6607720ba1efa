"""Bodies and replies of key tests. A key goes in and never comes out."""

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from ownkey.control.shapes import STRUCT, Body, Line, Reply
from ownkey.gateway import KeyTestResult
from ownkey.workbench.endpoint import Step

KEY_LIMIT = 8192


def _check_key(value: SecretStr) -> SecretStr:
    text = value.get_secret_value().strip()
    if len(text) > KEY_LIMIT:
        raise ValueError(f"a key has at most {KEY_LIMIT} characters")
    if not all("!" <= character <= "~" for character in text):
        raise ValueError("a key holds visible ASCII characters only: no blanks, line breaks or control characters")
    return SecretStr(text)


Key = Annotated[SecretStr, AfterValidator(_check_key)]
Config = Annotated[
    dict[Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,39}$")], Annotated[Line, Field(max_length=500)]],
    Field(max_length=20),
]
"""What a provider asks for beyond a key; nothing in it is secret."""


class KeyTrial(Body):
    """A key to test without storing it."""

    provider: Line = Field(max_length=64)
    api_key: Key = SecretStr("")
    base_url: Line | None = Field(None, max_length=2048)
    config: Config | None = None


class KeyTestReply(Reply):
    """The result of a test. `steps` have the shape of every other test in Ownkey."""

    success: bool
    status: str
    message: str
    latency_ms: float | None
    steps: list[Annotated[Step, STRUCT]]


def show_test(result: KeyTestResult) -> KeyTestReply:
    works = result.status.value == "valid"
    return KeyTestReply(
        success=works,
        status=result.status.value,
        message=result.message,
        latency_ms=result.latency_ms,
        steps=[Step("key check", works, result.message, result.latency_ms)],
    )
