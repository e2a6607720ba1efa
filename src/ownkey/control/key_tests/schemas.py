"""Bodies and replies of key tests. A key goes in and never comes out."""

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from ownkey.control.shapes import Body, Line, Reply
from ownkey.gateway import KeyTestResult

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


class TestReply(Reply):
    """What a test found. `steps` tell it as every other test in Ownkey does."""

    success: bool
    status: str
    message: str
    latency_ms: float | None
    steps: list[dict[str, object]]


def show_test(result: KeyTestResult) -> TestReply:
    works = result.status.value == "valid"
    step: dict[str, object] = {"name": "key check", "ok": works, "message": result.message, "ms": result.latency_ms}
    return TestReply(
        success=works,
        status=result.status.value,
        message=result.message,
        latency_ms=result.latency_ms,
        steps=[step],
    )
