"""`ownkey providers`, `models`, `usage`, `requests`, `explain` against a running server."""

import pytest
from tests.cli.running import Ran, asking, ownkey
from tests.services.stack import User


@pytest.fixture(scope="module", autouse=True)
def used(user: User) -> None:
    user.add_key("openai", "sk-cli-lookups-0001-abcdefgh", label="lookups")
    user.add_key("anthropic", "sk-cli-lookups-0002-abcdefgh", label="asleep", enabled=False)
    assert user.chat("openai/gpt-5-mini").status_code == 200


def look(user: User, *arguments: str) -> Ran:
    ran = ownkey(*arguments, **asking(user))
    assert ran.code == 0, ran.err
    assert ran.err == ""
    return ran


def test_providers(user: User) -> None:
    assert {"openai", "anthropic", "vllm"} <= {row["name"] for row in look(user, "providers", "--json").json}


def test_models_with_filters(user: User) -> None:
    usable = look(user, "models", "--filter", "usable", "--json").json
    assert {row["vendor"] for row in usable} == {"openai"}
    both = look(user, "models", "--filter", "eu,recommended", "--tier", "standard", "--json").json
    assert both
    assert all(row["eu"] and row["recommended"] and row["tier"] == "standard" for row in both)
    table = look(user, "models", "--filter", "provider:openai").out
    assert "openai/gpt-5-mini" in table
    assert "anthropic/" not in table


def test_models_tell_where_the_price_is_no_longer_what_was_stated(user: User) -> None:
    told = look(user, "models", "--filter", "tier:efficient").out
    assert "deepseek/deepseek-chat-v3.1: stated 0.2 / 0.8, openrouter lists " in told
    assert "openai/gpt-5-mini: stated" not in told


def test_usage(user: User) -> None:
    found = look(user, "usage", "--range", "24h", "--group-by", "provider", "--json").json
    assert found["total"]["requests"] == 1
    assert found["items"][0]["key"] == "openai"
    table = look(user, "usage").out.splitlines()
    assert table[1].split()[0] == "openai/gpt-5-mini"
    assert table[2].split()[0] == "total"


def test_requests(user: User) -> None:
    (row,) = look(user, "requests", "--json").json
    assert (row["model"], row["status"]) == ("openai/gpt-5-mini", "completed")
    assert row["id"] in look(user, "requests", "--limit", "1").out


def test_explain(user: User) -> None:
    plan = look(user, "explain", "openai/gpt-5-mini", "--json").json
    assert plan["attempts"][0]["label"] == "lookups"
    assert "lookups" in look(user, "explain", "openai/gpt-5-mini").out
    refused = look(user, "explain", "anthropic/claude-sonnet-4.5").out
    assert "not asleep: the key is disabled" in refused


@pytest.mark.parametrize(
    "arguments",
    [
        ["usage", "--range", "1h"],
        ["models", "--filter", "cheap"],
        ["models", "--tier", "cheap"],
        ["usage", "--group-by", "user"],
    ],
)
def test_a_wrong_question_is_told(user: User, arguments: list[str]) -> None:
    ran = ownkey(*arguments, **asking(user))
    assert ran.code == 1
    assert ran.err.startswith("ownkey: ")
