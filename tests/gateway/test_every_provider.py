"""One contract for every row of the catalogue, through a running gateway: chat, stream, errors.

`tests/providers/test_sandbox_checks.py` tests every row's keys in every state.
"""

import json
from typing import Any

import httpx2
import pytest
from tests.services.stack import Stack, User

from ownkey.domain.formats import Operation, WireFormat
from ownkey.providers import ProviderRow, load_catalogue

ROWS = load_catalogue().providers()
every_row = pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])


def serves(row: ProviderRow, operation: Operation) -> bool:
    return any(format_.operation is operation for format_ in row.endpoints)


@pytest.fixture(scope="module")
def owner(stack: Stack) -> User:
    """A user with one good key for every provider."""
    user = stack.user("every-provider")
    for row in ROWS:
        user.add_key(row.name, f"sk-every-{row.name}-0001-abcdefgh", label=row.name)
    return user


def ask(user: User, row: ProviderRow, model: str, **more: Any) -> httpx2.Response:
    """A call by the row's key: a chat where the provider has one, else an embedding."""
    if serves(row, Operation.CHAT):
        return user.chat(f"{row.name}/{model}", headers={"x-ownkey-credential": row.name}, **more)
    headers = {"x-ownkey-credential": row.name}
    body = {"model": f"{row.name}/{model}", "input": "hello"}
    return user.gateway.post("/v1/embeddings", json=body, headers=headers)


@every_row
def test_a_call_is_answered_by_the_provider_named_and_told_as_such(owner: User, row: ProviderRow) -> None:
    answer = ask(owner, row, "echo")
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-ownkey-provider"] == row.name
    assert answer.headers["x-ownkey-payer"] == "user"
    if serves(row, Operation.CHAT):
        assert answer.json()["choices"][0]["message"]["content"] == "hello"
    assert answer.json()["usage"]["prompt_tokens"] > 0
    receipt = owner.receipt(answer)
    assert (receipt["provider"], receipt["status"]) == (row.name, "completed")


@pytest.mark.parametrize("row", [row for row in ROWS if serves(row, Operation.CHAT)], ids=lambda row: row.name)
def test_a_stream_comes_whole_and_is_counted(owner: User, row: ProviderRow) -> None:
    answer = ask(owner, row, "lorem-20", stream=True)
    assert answer.status_code == 200, answer.text
    events = [line.removeprefix("data: ") for line in answer.text.splitlines() if line.startswith("data: ")]
    assert events[-1] == "[DONE]"
    chunks = [json.loads(event) for event in events[:-1]]
    text = "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"])
    assert text
    receipt = owner.receipt(answer)
    assert (receipt["status"], receipt["streamed"]) == ("completed", True)
    assert receipt["output_tokens"] == 20


@every_row
@pytest.mark.parametrize("status", [400, 500])
def test_an_error_reaches_the_client(owner: User, row: ProviderRow, status: int) -> None:
    answer = ask(owner, row, f"error-{status}")
    assert 400 <= answer.status_code < 600
    assert (answer.status_code < 500) == (status < 500)
    assert "sk-every" not in answer.text
    if serves(row, Operation.CHAT) and WireFormat.OPENAI_CHAT not in row.endpoints:
        # A provider that speaks the client's format is quoted as it is; any other's error is written anew.
        assert answer.json()["error"]["message"]
    assert owner.receipt(answer)["status"] == "failed"
