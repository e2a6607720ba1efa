"""`ownkey routes …` against a running server."""

import pytest
from tests.cli.running import Ran, asking, is_told, ownkey
from tests.services.stack import User


@pytest.fixture(scope="module", autouse=True)
def keyed(user: User) -> None:
    user.add_key("openai", "sk-cli-routes-0001-abcdefgh", label="routed")


def routes(user: User, *arguments: str) -> Ran:
    return ownkey("routes", *arguments, **asking(user))


def test_a_route_is_added_listed_and_deleted(user: User) -> None:
    ran = routes(user, "add", "winner", "openai/gpt-5-mini", "--key", "routed")
    assert (ran.code, ran.out.strip()) == (0, "winner refers to openai/gpt-5-mini."), ran.err
    (row,) = routes(user, "list", "--json").json
    assert (row["name"], row["model"]) == ("winner", "openai/gpt-5-mini")
    assert row["credential_id"].startswith("cred_")
    assert "winner" in routes(user, "list").out
    assert routes(user, "rm", "winner").out.strip() == "Deleted 'winner'."
    assert "No routes yet" in routes(user, "list").out


def test_what_is_missing_is_told(user: User) -> None:
    ran = routes(user, "add", "later", "anthropic/claude-sonnet-4.5")
    assert ran.code == 0
    assert "Not yet: " in ran.out
    assert "Not yet" not in routes(user, "add", "later-too", "openai/gpt-5", "--json").out


def test_a_models_own_name_needs_an_option(user: User) -> None:
    refused = routes(user, "add", "gpt-5-mini", "openai/gpt-5")
    is_told(refused, 1, "--shadow")
    assert routes(user, "add", "gpt-5-mini", "openai/gpt-5", "--shadow").code == 0


def test_an_absent_route_is_told(user: User) -> None:
    is_told(routes(user, "rm", "absent"), 1, "ownkey routes list")
