"""Azure OpenAI behind the gateway: both surfaces, a resource's key, Entra tokens, and secrets exchanged for them."""

import json
from pathlib import Path
from typing import Any

import anthropic
import openai
import pytest
from tests.gateway.conftest import bare, until
from tests.gateway.upstream import ScriptedUpstream, answer, chat_answer
from tests.services.stack import Process, Stack, User

KEY = "0123456789abcdef0123456789abcdef"
MESSAGES: Any = [{"role": "user", "content": "Hello, Azure"}]
ENTRA = {"tenant_id": "11111111-2222-3333-4444-555555555555", "client_id": "app-1"}
ROW = Path(__file__).parents[2] / "src/ownkey/providers/catalog/azure.toml"


@pytest.fixture(scope="module")
def azure_user(stack: Stack) -> User:
    user = stack.user("azure")
    resource = {"resource": "mine"}
    user.add_key("azure", KEY, config=resource, label="v1")
    user.add_key("azure", KEY[::-1], config=resource | {"api_version": "2024-10-21"}, label="older")
    user.add_key("azure", "entra-secret-0001", config=resource | ENTRA, label="entra")
    user.add_key("azure", "eyJ0eXAiOiJKV1QifQ.e30.c2lnbmF0dXJl", config=resource, label="token")
    return user


LABELS = pytest.mark.parametrize("label", ["v1", "older", "entra", "token"])


@LABELS
def test_chat_and_embeddings_of_a_deployment(azure_user: User, label: str) -> None:
    header = {"x-ownkey-credential": label}
    with openai.OpenAI(
        base_url=azure_user.stack.url + "/v1", api_key=azure_user.key, max_retries=0, default_headers=header
    ) as client:
        reply = client.chat.completions.create(model="azure/echo", messages=MESSAGES)
        assert reply.choices[0].message.content == "Hello, Azure"
        vectors = client.embeddings.create(model="azure/embedder", input="x", dimensions=3)
        assert vectors.usage.total_tokens > 0


@LABELS
def test_streams_survive_chunks_without_choices(azure_user: User, label: str) -> None:
    header = {"x-ownkey-credential": label}
    with openai.OpenAI(
        base_url=azure_user.stack.url + "/v1", api_key=azure_user.key, max_retries=0, default_headers=header
    ) as client:
        chunks = list(client.chat.completions.create(model="azure/echo", messages=MESSAGES, stream=True))
    assert chunks[0].choices == []
    assert "prompt_filter_results" in (chunks[0].model_extra or {})
    assert "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices) == "Hello, Azure"
    claude = anthropic.Anthropic(
        base_url=azure_user.stack.url, api_key=azure_user.key, max_retries=0, default_headers=header
    )
    with claude, claude.messages.stream(model="azure/echo", max_tokens=50, messages=MESSAGES) as stream:
        final: Any = stream.get_final_message()
    assert final.content[0].text == "Hello, Azure"
    assert final.usage.input_tokens > 0


def test_the_usage_of_a_passing_stream_is_known(azure_user: User) -> None:
    reply = azure_user.chat("azure/lorem-20", stream=True, headers={"x-ownkey-credential": "v1"})
    assert "prompt_filter_results" in reply.text
    receipt = azure_user.receipt(reply)
    assert (receipt["output_tokens"], receipt["status"]) == (20, "completed")


@pytest.mark.parametrize("secret", ["entra-limited-1", "entra-fine-1", "entra-invalid-1", "entra-expired-1"])
def test_secrets_are_tested_by_exchanging_them(azure_user: User, secret: str) -> None:
    body = {"provider": "azure", "api_key": secret, "config": {"resource": "mine"} | ENTRA}
    tested = azure_user.api.post("/credentials/test", json=body).json()
    word = secret.split("-")[1]
    states = {"limited": "rate-limited", "fine": "valid", "invalid": "invalid", "expired": "expired"}
    assert tested["status"] == states[word]
    assert secret not in json.dumps(tested)


@pytest.mark.parametrize(("word", "status", "state"), [("invalid", 401, "invalid"), ("expired", 401, "expired")])
def test_a_secret_that_is_refused_is_a_clear_error_and_a_state(
    stack: Stack, word: str, status: int, state: str
) -> None:
    user = stack.user(f"azure-{word}")
    user.add_key("azure", f"entra-{word}-0002", config={"resource": "mine"} | ENTRA, label="bad")
    reply = user.chat("azure/echo")
    assert reply.status_code == status
    assert "Azure OpenAI" in reply.json()["error"]["message"]
    assert f"entra-{word}-0002" not in reply.text
    until(lambda: user.api.get("/credentials").json()["items"][0]["status"] == state, "the key's state")
    user.add_key("azure", KEY, config={"resource": "mine"}, label="good")
    assert user.chat("azure/echo").status_code == 200


def test_no_part_of_a_secret_or_its_token_comes_back(stack: Stack) -> None:
    user = stack.user("azure-canary")
    secret = "entra-canary-secret-9d8f7g"
    user.add_key("azure", secret, config={"resource": "mine"} | ENTRA)
    for model in ("echo", "error-echo-key", "stream-echo-key"):
        for stream in (False, True):
            reply = user.chat(f"azure/{model}", stream=stream)
            text = reply.text + str(reply.headers)
            assert secret not in text
            assert ".sandbox-good-" not in text
            assert "eyJ" not in text


def test_a_stored_secret_does_not_follow_to_another_place(azure_user: User) -> None:
    rows = {row["label"]: row for row in azure_user.api.get("/credentials").json()["items"]}
    moves: list[tuple[str, dict[str, str]]] = [
        ("v1", {"resource": "mine"} | ENTRA),
        ("entra", {"resource": "mine"}),
        ("entra", {"resource": "mine"} | ENTRA | {"tenant_id": "other"}),
    ]
    for label, config in moves:
        moved = azure_user.api.patch(f"/credentials/{rows[label]['id']}", json={"config": config, "test": False})
        assert moved.status_code == 400
        assert "api_key" in moved.text
    same = ENTRA | {"resource": "mine", "region": "swedencentral"}
    kept = azure_user.api.patch(f"/credentials/{rows['entra']['id']}", json={"config": same, "test": False})
    assert kept.status_code == 200


@pytest.fixture(scope="module")
def entra_stack(sandbox: Process, upstream: ScriptedUpstream, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """An Ownkey whose operator has the tokens of Azure's clients fetched from the scripted provider."""
    folder = tmp_path_factory.mktemp("entra")
    rows = folder / "rows"
    rows.mkdir()
    row = ROW.read_text().replace("https://login.microsoftonline.com", upstream.url)
    (rows / "azure.toml").write_text(row)
    running = Stack(
        folder / "data",
        sandbox,
        OWNKEY_SANDBOX_URL="",
        OWNKEY_PROVIDER_DIRS=str(rows),
        OWNKEY_PROVIDER_AZURE_BASE_URL=f"{upstream.url}/openai/v1",
    )
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="module")
def entra_stack_user(entra_stack: Stack) -> User:
    return entra_stack.user("entra")


@pytest.fixture
def entra_user(entra_stack_user: User) -> User:
    return bare(entra_stack_user)


@pytest.mark.parametrize(
    ("provider", "config", "param"),
    [
        ("bedrock", {"region": "evil.test/"}, "config.region"),
        ("bedrock", {"region": "evil.test#"}, "config.region"),
        ("bedrock", {}, "config.region"),
        ("azure", {"api_version": "1/../x"}, "config.api_version"),
        ("azure", {"tenant_id": "../x", "client_id": "c"}, "config.tenant_id"),
    ],
)
def test_settings_that_would_lead_elsewhere_are_refused(
    entra_user: User, provider: str, config: dict[str, str], param: str
) -> None:
    body = {"provider": provider, "api_key": KEY, "config": config}
    for path in ("/credentials", "/credentials/test"):
        refused = entra_user.api.post(path, json=body)
        assert refused.status_code == 400, refused.text
        assert param in refused.text


def token_answer(token: str, expires_in: int) -> bytes:
    return answer(200, {"token_type": "Bearer", "expires_in": expires_in, "access_token": token})


def test_a_token_is_fetched_once_and_again_when_it_runs_out(
    entra_user: User, upstream: ScriptedUpstream, new_key: str
) -> None:
    entra_user.add_key("azure", new_key, config=ENTRA)
    lasting, ended = f"eyJlasting.{new_key}.s", f"eyJended.{new_key}.s"
    upstream.script(new_key, token_answer(ended, 0), token_answer(lasting, 3600))
    for _ in range(4):
        assert entra_user.chat("azure/gpt").status_code == 200
    assert len(upstream.seen(ended)) == 1
    assert len(upstream.seen(lasting)) == 3
    assert [seen.path for seen in upstream.seen(new_key)] == [f"/{ENTRA['tenant_id']}/oauth2/v2.0/token"] * 2
    assert upstream.seen(lasting)[0].path == "/openai/v1/chat/completions"
    assert upstream.seen(lasting)[0].json()["model"] == "gpt"


def test_a_token_that_the_provider_refuses_is_not_used_again(
    entra_user: User, upstream: ScriptedUpstream, new_key: str
) -> None:
    entra_user.add_key("azure", new_key, config=ENTRA)
    withdrawn, fresh = f"eyJwithdrawn.{new_key}.s", f"eyJfresh.{new_key}.s"
    upstream.script(new_key, token_answer(withdrawn, 3600), token_answer(fresh, 3600))
    upstream.script(withdrawn, answer(401, {"error": {"code": "401", "message": "expired"}}))
    assert entra_user.chat("azure/gpt").status_code == 401
    assert entra_user.chat("azure/gpt").status_code == 200
    assert len(upstream.seen(fresh)) == 1


def test_a_token_server_in_trouble_leads_to_the_next_key(
    entra_user: User, upstream: ScriptedUpstream, new_key: str
) -> None:
    entra_user.add_key("azure", new_key, config=ENTRA, priority=1)
    entra_user.add_key("azure", f"{new_key}-other", priority=2)
    upstream.script(new_key, answer(503, b""), answer(429, {"error": "x"}, "retry-after: 30"))
    for _ in range(2):
        reply = entra_user.chat("azure/gpt")
        assert reply.status_code == 200
    assert len(upstream.seen(f"{new_key}-other")) == 2


def test_a_deployment_is_named_by_the_older_address(entra_user: User, upstream: ScriptedUpstream, new_key: str) -> None:
    entra_user.add_key("azure", new_key, config={"api_version": "2024-10-21"})
    upstream.script(new_key, chat_answer())
    assert entra_user.chat("azure/my deployment").status_code == 200
    [seen] = upstream.seen(new_key)
    assert seen.path == "/openai/deployments/my%20deployment/chat/completions?api-version=2024-10-21"
    assert seen.headers["api-key"] == new_key
    assert "authorization" not in seen.headers
