"""What there is: providers and models, with filters and prices."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

import httpx2
import pytest
from tests.control.people import is_problem, unique
from tests.services.stack import User

from ownkey.control.catalogue.service import monogram

ALL = {
    "openrouter", "openai", "anthropic", "gemini", "mistral", "cohere", "groq", "together", "fireworks", "perplexity",
    "deepseek", "xai", "qwen", "huggingface", "azure", "bedrock", "ollama", "vllm", "custom",
}  # fmt: skip


def models(user: User, query: str = "") -> list[dict[str, Any]]:
    answer = user.api.get(f"/models{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def test_every_provider_tells_what_a_person_needs(user: User) -> None:
    rows = {row["name"]: row for row in user.api.get("/providers").json()["items"]}
    assert set(rows) >= ALL
    for row in rows.values():
        assert row["title"]
        assert row["formats"]
        assert row["model_count"] >= 0
        assert row["eu"] in ("yes", "no", "regional", "self-hosted", "unknown")
        for link in (row["signup_url"], row["docs_url"]):
            assert link is None or link.startswith("https://")
    assert rows["openai"]["signup_url"]
    assert rows["openai"]["key_example"].startswith("sk-")
    assert rows["openrouter"]["router"] is True
    assert rows["openrouter"]["model_count"] > rows["openai"]["model_count"] > 0
    assert rows["mistral"]["eu"] == "yes"
    assert rows["ollama"]["key_required"] is False


@pytest.mark.parametrize("path", ["/providers", "/models"])
def test_the_lists_come_in_pages(user: User, path: str) -> None:
    whole = user.api.get(path).json()["items"]
    found: list[dict[str, Any]] = []
    query: dict[str, Any] = {"limit": 7}
    while True:
        page = user.api.get(path, params=query).json()
        assert len(page["items"]) <= 7
        found += page["items"]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert found == whole
    assert user.api.get(path, params={"cursor": "x"}).status_code == 400


def test_models_carry_prices_per_million_tokens_as_decimals(user: User) -> None:
    rows = {row["id"]: row for row in models(user)}
    gpt = rows["openai/gpt-5-mini"]
    assert 0 < Decimal(gpt["input_usd"]) < Decimal(gpt["output_usd"]) < 100
    assert sum(row["input_usd"] is not None for row in rows.values()) > len(rows) * 0.7


def test_filters_narrow_and_add_up(user: User) -> None:
    everything = models(user)
    for query, holds in [
        ("?filter=eu", lambda row: row["eu"]),
        ("?filter=recommended", lambda row: row["recommended"]),
        ("?tier=premium", lambda row: row["tier"] == "premium"),
        ("?filter=eu,recommended", lambda row: row["eu"] and row["recommended"]),
        ("?filter=%20eu%20,,&tier=standard", lambda row: row["eu"] and row["tier"] == "standard"),
    ]:
        expected = [row for row in everything if holds(row)]
        assert expected
        assert models(user, query) == expected
    of_openai = models(user, "?filter=provider:openai")
    assert {row["vendor"] for row in of_openai} == {"openai"}
    assert len(models(user, "?filter=provider:openrouter")) > len(of_openai) > 0
    assert models(user, "?filter=tier:premium,eu") == models(user, "?filter=eu&tier=premium")


@pytest.mark.parametrize(
    "condition",
    ["cheap", "provider:", "provider", "provider:nobody", "eu;recommended", "EU", "eu:no", "tier:", "tier:best"],
)
def test_an_unknown_filter_is_told(user: User, condition: str) -> None:
    told = is_problem(user.api.get("/models", params={"filter": condition}), 400, "invalid_request")
    assert told["param"] == "filter"


def test_an_unknown_tier_is_told(user: User) -> None:
    told = is_problem(user.api.get("/models", params={"tier": "none-such"}), 400, "invalid_request")
    assert told["param"] == "tier"
    assert "flagship" in told["detail"]


def test_models_tell_every_rate_that_the_price_list_has(user: User) -> None:
    rows = {row["id"]: row for row in models(user)}
    sonnet = rows["anthropic/claude-sonnet-4.5"]
    assert sonnet["priced_by"] == "anthropic"
    assert [sonnet[f"{rate}_usd"] for rate in ("input", "output", "cached_input", "cache_write")] == [
        "3",
        "15",
        "0.3",
        "3.75",
    ]
    (tier,) = sonnet["price_tiers"]
    assert (tier["above_tokens"], tier["input_usd"], tier["output_usd"]) == (200_000, "6", "22.5")
    assert (rows["qwen/qwen3-max"]["priced_by"], rows["qwen/qwen3-max"]["input_usd"]) == ("qwen", "1.2")
    assert [tier["above_tokens"] for tier in rows["qwen/qwen3-max"]["price_tiers"]] == [32_000, 128_000]
    assert rows["custom"]["input_usd"] is None
    differing = {row["id"] for row in rows.values() if row["price_differs"]}
    assert differing == {"deepseek/deepseek-chat-v3.1", "deepseek/deepseek-v3.1-terminus"}


def test_each_provider_has_a_picture_that_needs_no_sign_in(user: User) -> None:
    for row in user.api.get("/providers").json()["items"]:
        answer = httpx2.get(user.stack.url + row["logo"], trust_env=False, verify=False)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        picture = ElementTree.fromstring(answer.text)
        assert picture.tag == "{http://www.w3.org/2000/svg}svg"
        assert picture.attrib["aria-label"] == row["title"]
    assert httpx2.get(f"{user.stack.url}/api/v1/providers/nobody/logo.svg", trust_env=False, verify=False).is_error


def test_a_title_cannot_smuggle_anything_into_its_picture() -> None:
    for title in ("<script>alert(1)</script>", '" onload="x', "&", "  ", "", "日本"):
        assert ElementTree.fromstring(monogram(title)).attrib["aria-label"] == title
        assert "<script" not in monogram(title)


def test_usable_means_that_one_of_ones_own_keys_serves_it(newcomer: Callable[[], User]) -> None:
    person = newcomer()
    assert models(person, "?filter=usable") == []
    stored = person.add_key("anthropic", f"sk-ant-{unique('usable')}-abcdefgh")
    usable = models(person, "?filter=usable")
    assert {row["vendor"] for row in usable} == {"anthropic"}
    assert {row["id"] for row in models(person) if row["usable"]} == {row["id"] for row in usable}
    person.api.patch(f"/credentials/{stored['id']}", json={"enabled": False})
    assert models(person, "?filter=usable") == []


@pytest.mark.parametrize("path", ["/providers", "/models"])
def test_the_catalogue_is_for_those_signed_in(user: User, path: str) -> None:
    is_problem(httpx2.get(f"{user.stack.url}/api/v1{path}", trust_env=False, verify=False), 401, "invalid_api_key")


def test_explain_tells_the_plan_and_sends_nothing(newcomer: Callable[[], User]) -> None:
    person = newcomer()
    secret = f"sk-test-{unique('explain')}-abcdefgh"
    used = person.add_key("openai", secret)
    off = person.add_key("openai", f"sk-test-{unique('explain')}-abcdefgh", enabled=False)
    plan = person.api.post("/route/explain", json={"model": "openai/gpt-5-mini"}).json()
    assert plan["refusal"] is None
    (attempt,) = plan["attempts"]
    assert attempt["credential_id"] == used["id"]
    assert (attempt["provider"], attempt["upstream_model"], attempt["payer"]) == ("openai", "gpt-5-mini", "user")
    assert attempt["translated"] is False
    assert Decimal(attempt["input_usd"]) > 0
    (dropped,) = plan["dropped"]
    assert (dropped["credential_id"], dropped["reason"]) == (off["id"], "disabled")
    other = person.api.post("/route/explain", json={"model": "openai/gpt-5", "format": "anthropic_messages"}).json()
    assert other["attempts"][0]["translated"] is True
    query = {"key_suffix": secret}
    seen = httpx2.get(
        person.stack.sandbox.url + "/__sandbox/requests", params=query, trust_env=False, verify=False
    ).json()
    assert seen["requests"] == []


@pytest.mark.parametrize(
    ("model", "status", "code"),
    [
        ("openai/gpt-5", 503, "no_healthy_credential"),
        ("no-such-model", 404, "model_not_found"),
        ("default", 404, "model_not_found"),
    ],
)
def test_explain_tells_the_refusal_a_request_would_get(stranger: User, model: str, status: int, code: str) -> None:
    plan = stranger.api.post("/route/explain", json={"model": model}).json()
    assert plan["attempts"] == []
    assert (plan["refusal"]["status"], plan["refusal"]["code"]) == (status, code)
    answer = stranger.chat(model)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["error"]["message"] == plan["refusal"]["message"]


@pytest.mark.parametrize(
    "body",
    [{}, {"model": ""}, {"model": "a\nb"}, {"model": "x" * 257}, {"model": "m", "format": "gemini2"}, {"model": 1}],
)
def test_a_wrong_question_is_told(user: User, body: dict[str, Any]) -> None:
    is_problem(user.api.post("/route/explain", json=body), 422, "invalid_request")
