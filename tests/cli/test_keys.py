"""`ownkey keys …` against a running server."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from tests.cli.running import Ran, asking, is_told, ownkey
from tests.services.stack import User

_numbers: Iterator[int] = count(1)


def secret(word: str = "fine") -> str:
    return f"sk-cli-{word}-{next(_numbers):04d}-abcdefgh"


def keys(user: User, *arguments: str, stdin: str = "") -> Ran:
    return ownkey("keys", *arguments, stdin=stdin, **asking(user))


def stored(user: User, label: str, word: str = "fine") -> dict[str, Any]:
    return user.add_key("openai", secret(word), label=label)


def test_a_key_is_read_from_standard_input_tested_and_stored(user: User) -> None:
    key = secret()
    ran = keys(user, "add", "openai", "--label", "from the shell", stdin=f"  export OPENAI_API_KEY='{key}'\n\n")
    assert ran.code == 0, ran.err
    assert "Stored sk-…efgh as 'from the shell' (cred_" in ran.out
    assert "accepts the key" in ran.out
    assert key not in ran.out + ran.err
    answer = user.chat("openai/echo", headers={"x-ownkey-credential": "from the shell"})
    assert answer.status_code == 200


def test_a_key_of_another_provider_gets_a_note(user: User) -> None:
    ran = keys(user, "add", "openai", "--json", "--no-test", "--label", "mistaken", stdin=f"xai-{secret()}")
    assert "Note: This key begins like a key of xAI" in ran.err
    assert "xAI" in ran.json["hint"]


def test_no_option_takes_a_secret(user: User) -> None:
    for option in ("--api-key", "--key", "--secret"):
        assert keys(user, "add", "openai", option, "sk-x").code == 2


def test_every_setting_of_a_key_can_be_given(user: User) -> None:
    given = [
        "--priority", "7", "--weight", "3", "--model", "gpt-5", "--allow-model", "gpt-*", "--allow-model", "o*",
        "--allow-ip", "127.0.0.1", "--expires-at", "2031-01-01T00:00:00Z",
    ]  # fmt: skip
    ran = keys(user, "add", "openai", "--json", "--no-test", *given, stdin=secret())
    made = ran.json
    assert (made["priority"], made["weight"], made["model"]) == (7, 3, "gpt-5")
    assert made["allowed_models"] == ["gpt-*", "o*"]
    assert made["allowed_ips"] == ["127.0.0.1/32"]
    assert made["expires_at"] == "2031-01-01T00:00:00.000Z"
    assert (made["is_default"], made["test"]) == (False, None)


def test_a_limit_of_a_key_is_not_yet_supported(user: User) -> None:
    ran = keys(user, "add", "openai", "--no-test", "--monthly-limit-usd", "5.50", stdin=secret())
    assert ran.code == 1
    assert "not yet supported" in ran.err


def test_what_a_provider_asks_beside_a_key_can_be_given(user: User) -> None:
    key = "AKIACLIKEY0000000001:" + "s" * 40
    ran = keys(user, "add", "bedrock", "--json", "--no-test", "--config", "region=eu-west-1", stdin=key)
    assert ran.code == 0, ran.err
    assert ran.json["config"] == {"region": "eu-west-1"}
    assert keys(user, "add", "bedrock", "--config", "region", stdin=key).code == 2


def test_an_endpoint_may_take_no_key(user: User) -> None:
    ran = ownkey(
        "keys",
        "add",
        "vllm",
        "--no-key",
        "--no-test",
        "--base-url",
        "https://llm.example.com/v1",
        "--json",
        **asking(user),
    )
    assert ran.json["masked_key"] == "(no key)"


def test_keys_are_listed_for_people_and_for_programs(user: User) -> None:
    key = stored(user, "listed")
    rows = keys(user, "list", "--json").json
    assert key["id"] in {row["id"] for row in rows}
    table = keys(user, "list").out.splitlines()
    assert table[0].split()[:2] == ["id", "provider"]
    assert next(line for line in table if key["id"] in line).split()[1] == "openai"


@pytest.mark.parametrize(("word", "status", "code"), [("fine", "valid", 0), ("invalid", "invalid", 1)])
def test_the_exit_code_tells_whether_a_key_works(user: User, word: str, status: str, code: int) -> None:
    key = stored(user, f"to be tested {word}", word)
    ran = keys(user, "test", key["id"])
    assert ran.code == code
    assert ran.out.startswith(f"{status}: ")
    assert user.api.get(f"/credentials/{key['id']}").json()["status"] == status


def test_a_key_is_renamed_disabled_and_made_the_default(user: User) -> None:
    key = stored(user, "to be renamed")
    changed = keys(user, "update", key["id"], "--label", "renamed", "--disable", "--default", "--json").json
    assert (changed["label"], changed["enabled"], changed["is_default"]) == ("renamed", False, True)
    back = keys(user, "update", "renamed", "--enable", "--no-default", "--priority", "1", "--json").json
    assert (back["enabled"], back["is_default"], back["priority"]) == (True, False, 1)
    is_told(keys(user, "update", "renamed"), 2, "nothing to change")


def test_a_key_is_replaced_and_tested(user: User) -> None:
    key = stored(user, "replaced", "revoked")
    new = secret()
    ran = keys(user, "rotate", "replaced", stdin=new)
    assert ran.code == 0, ran
    assert ran.out.startswith("Replaced 'replaced'. valid: ")
    assert new not in ran.out + ran.err
    bad = keys(user, "rotate", key["id"], "--json", stdin="gsk_" + secret("invalid"))
    assert (bad.code, bad.json["status"]) == (1, "invalid")
    assert "like a key of Groq" in bad.err


def test_a_key_is_deleted_by_label(user: User) -> None:
    key = stored(user, "short-lived")
    assert keys(user, "rm", "short-lived", "--json").json == {"deleted": key["id"]}
    is_told(keys(user, "rm", "short-lived"), 1, "no key has the id or label 'short-lived'")


@pytest.mark.parametrize(
    ("arguments", "stdin", "told"),
    [
        (["add", "openai"], "", "no key for openai was given"),
        (["add", "openai"], "\n", "no key for openai was given"),
        (["add", "openai"], "sk-1\nsk-2\n", "2 lines. Send one key"),
        (["add", "nobody"], "k", "Unknown provider. Choose one of"),
        (["add", "openai", "--label", "a\nb"], "k", "visible text on one line"),
        (["add", "openai", "--scope", "platform"], "k", "403 not_allowed"),
        (["add", "openai", "--base-url", "http://169.254.169.254/"], "k", "private, local or reserved"),
        (["test", "nothing"], "", "no key has the id or label 'nothing'"),
    ],
)
def test_a_refusal_is_told_in_a_line(user: User, arguments: list[str], stdin: str, told: str) -> None:
    is_told(keys(user, *arguments, stdin=stdin), 1, told)


def test_a_duplicate_is_told(user: User) -> None:
    key = secret()
    label = user.add_key("openai", key)["label"]
    ran = keys(user, "add", "openai", stdin=key)
    is_told(ran, 1, label, "409 conflict")
    assert key not in ran.err
