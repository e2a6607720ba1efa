"""Other people's clients, unchanged, are answered by every kind of provider as by their own vendor.

Each client runs once, as a process in an environment of its own, and prints what it saw; the rows below
say what that must be. docs/clients.md shows how a person points each of them.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.services.clients import environment_of, pointed_at, python_of, run
from tests.services.stack import Stack, User

HERE = Path(__file__).parent
KEYS = {
    "openai": "sk-test-openai-0003",
    "anthropic": "sk-ant-test-0003",
    "gemini": "AIza-test-0003",
    "perplexity": "pplx-test-0003",
}
"""The providers that each client is answered by, one for each format, and a key for each."""

SDK_CLASSES = {
    "400": "BadRequestError",
    "401": "AuthenticationError",
    "403": "PermissionDeniedError",
    "404": "NotFoundError",
    "409": "ConflictError",
    "413": "RequestTooLargeError",
    "422": "UnprocessableEntityError",
    "429": "RateLimitError",
    "500": "InternalServerError",
    "503": "InternalServerError",
    "529": "InternalServerError",
}
ANTHROPIC_CLASSES = SDK_CLASSES | {"529": "OverloadedError"}
NEWER_ANTHROPIC_CLASSES = ANTHROPIC_CLASSES | {"413": "ContentTooLargeError", "503": "ServiceUnavailableError"}


GOOGLE_CLASSES = {status: "ClientError" if status < "500" else "ServerError" for status in SDK_CLASSES}


def langchain_classes(vendor: str) -> dict[str, str]:
    return {
        "401": f"{vendor}AuthenticationError",
        "403": f"{vendor}PermissionDeniedError",
        "404": f"{vendor}ModelNotFoundError",
        "429": f"{vendor}RateLimitError",
        "500": f"{vendor}APIError",
        "503": f"{vendor}APIError",
    }


@dataclass(frozen=True)
class Client:
    """How a client is run and what is particular about what it sees.

    `environment` is None for the current SDKs, which tests import themselves. `ended` and `called` are its
    words for an answer that is complete and for one that calls a tool; `classes` maps a status to its error.
    """

    script: str
    environment: str | None
    version: str
    ended: str
    called: str
    classes: dict[str, str] = field(default_factory=lambda: dict.fromkeys(SDK_CLASSES, "APICallError"))
    arguments: tuple[str, ...] = ()
    embeds: bool = False
    lists_models: bool = True
    shows_headers: bool = True


def openai_sdk(script: str, environment: str | None, version: str) -> Client:
    return Client(script, environment, version, "stop", "tool_calls", SDK_CLASSES, embeds=True)


def anthropic_sdk(script: str, environment: str | None, version: str, classes: dict[str, str]) -> Client:
    return Client(script, environment, version, "end_turn", "tool_use", classes)


CLIENTS = {
    "openai-python-3": openai_sdk("clients/openai_client.py", None, "3."),
    "openai-python-2": openai_sdk("clients/openai_client.py", "openai-2", "2."),
    "openai-python-1": openai_sdk("clients/openai_client.py", "openai-1", "1."),
    "openai-node": openai_sdk("node/openai.mjs", "node", "6."),
    "anthropic-python-2": anthropic_sdk("clients/anthropic_client.py", None, "2.", NEWER_ANTHROPIC_CLASSES),
    "anthropic-python-1": anthropic_sdk("clients/anthropic_client.py", "anthropic-1", "1.", ANTHROPIC_CLASSES),
    "anthropic-python-0": anthropic_sdk("clients/anthropic_client.py", "anthropic-0", "0.", ANTHROPIC_CLASSES),
    "anthropic-node": anthropic_sdk("node/anthropic.mjs", "node", "1.", NEWER_ANTHROPIC_CLASSES),
    "langchain-openai": Client(
        *("clients/langchain_client.py", "langchain", "1.", "stop", "tool_calls"),
        classes=langchain_classes("OpenAI"),
        arguments=("openai",),
        embeds=True,
        lists_models=False,
    ),
    "langchain-anthropic": Client(
        *("clients/langchain_client.py", "langchain", "1.", "end_turn", "tool_use"),
        classes=langchain_classes("Anthropic"),
        arguments=("anthropic",),
        lists_models=False,
        shows_headers=False,
    ),
    "vercel-ai-openai-chat": Client(
        *("node/vercel_ai.mjs", "node", "3.", "stop", "tool-calls"),
        arguments=("openai-chat",),
        embeds=True,
        lists_models=False,
    ),
    "vercel-ai-anthropic": Client(
        *("node/vercel_ai.mjs", "node", "3.", "stop", "tool-calls"), arguments=("anthropic",), lists_models=False
    ),
    "google-genai-python": Client(
        *("clients/google_genai_client.py", "google-genai", "3.", "STOP", "STOP"), GOOGLE_CLASSES, embeds=True
    ),
    "google-genai-node": Client(
        *("node/google_genai.mjs", "node", "2.", "STOP", "STOP"), dict.fromkeys(SDK_CLASSES, "ApiError"), embeds=True
    ),
    "langchain-google-genai": Client(
        *("clients/langchain_client.py", "langchain", "4.", "STOP", "STOP"),
        classes=langchain_classes("Google"),
        arguments=("google",),
        lists_models=False,
        shows_headers=False,
    ),
    "vercel-ai-openai-responses": Client(
        *("node/vercel_ai.mjs", "node", "3.", "stop", "tool-calls"),
        arguments=("openai-responses",),
        embeds=True,
        lists_models=False,
    ),
    "vercel-ai-google": Client(
        *("node/vercel_ai.mjs", "node", "3.", "stop", "tool-calls"),
        arguments=("google",),
        embeds=True,
        lists_models=False,
    ),
}


@pytest.fixture(scope="module")
def user(stack: Stack) -> User:
    return stack.user("clients", **KEYS)


@pytest.fixture(scope="module")
def limited(stack: Stack) -> User:
    """A user whose providers answer that there were too many requests."""
    return stack.user("limited-clients", **dict.fromkeys(KEYS, "sk-limited-0003"))


def seen_by(client: Client, user: User, limited: User, home: Path) -> dict[str, Any]:
    """What the client saw."""
    asked = [*client.arguments, ",".join(KEYS), limited.key]
    script = HERE / client.script
    if client.environment == "node":
        # From standard input, so that imports are looked up in the environment.
        command = ["node", "--input-type=module", "-", *asked]
        finished = run(command, pointed_at(user), home, folder=environment_of("node"), script=script)
    else:
        finished = run([python_of(client.environment), "-W", "ignore", script, *asked], pointed_at(user), home)
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)


@pytest.mark.parametrize("name", CLIENTS)
def test_an_unchanged_client_is_served(name: str, user: User, limited: User, tmp_path: Path) -> None:
    client = CLIENTS[name]
    saw = seen_by(client, user, limited, tmp_path)
    assert saw["version"].startswith(client.version)
    assert saw.get("embeddings") == (2 if client.embeds else None)
    assert not client.lists_models or "anthropic/claude-sonnet-4.5" in saw["models"]
    assert set(saw["providers"]) == set(KEYS)
    for provider, answers in saw["providers"].items():
        check_answers(client, provider, answers)
        check_failures(client, answers)


def check_answers(client: Client, provider: str, saw: dict[str, Any]) -> None:
    assert saw["chat"] == {"text": "Hello there", "stop": client.ended, "output": 2}
    assert saw["stream"] == {"text": "one two three four", "output": 4}
    # Vercel's client for Google wraps a tool's result in an object of its own.
    assert "4 degrees" in saw["tools"].pop("text")
    assert saw["tools"] == {"stop": client.called, "name": "get_weather", "input": ["city"]}
    receipt = {"provider": provider, "payer": "user", "attempts": "1"}
    assert saw["receipt"] == (receipt if client.shows_headers else None)


def check_failures(client: Client, saw: dict[str, Any]) -> None:
    for status, error in [*saw["errors"].items(), *saw["streamed_errors"].items()]:
        assert error["class"] == client.classes[status]
        # LangChain's classes for Google have no field for it.
        assert (
            error["status"] in (int(status), None) if "google" in client.arguments else error["status"] == int(status)
        )
        assert error.get("id", True), "an error without its request's id"
    assert saw["limited"]["class"] == client.classes["429"]
    # LangChain's classes and Google's error for Node keep the answer's headers to themselves.
    hidden = "langchain" in client.script or client.script == "node/google_genai.mjs"
    assert hidden or saw["limited"]["retry_after"] == "1"
    assert all(error["class"] for error in saw["broken_streams"].values()), "a broken stream passed for a whole one"
