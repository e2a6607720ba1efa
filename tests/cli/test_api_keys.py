"""`ownkey api-keys …` against a running server."""

import httpx2
from tests.cli.running import asking, is_told, ownkey
from tests.services.stack import User

PASSWORD = "a fine long password"


def works(user: User, key: str, path: str = "/v1/models") -> int:
    headers = {"authorization": f"Bearer {key}"}
    return httpx2.get(user.stack.url + path, headers=headers, trust_env=False, verify=False).status_code


def test_the_first_key_is_made_by_password_and_printed_alone(user: User) -> None:
    arguments = (
        "api-keys",
        "create",
        "--email",
        user.email,
        "--name",
        "laptop",
        "--scope",
        "gateway",
        "--scope",
        "manage",
    )
    before = user.api.get("/me/sessions").json()["items"]
    ran = ownkey(*arguments, stdin=PASSWORD + "\n", url=user.stack.url)
    assert ran.code == 0, ran.err
    key = ran.out.removesuffix("\n")
    assert works(user, key) == 200
    assert works(user, key, "/api/v1/me") == 200
    assert user.api.get("/me/sessions").json()["items"] == before, "the session ends with the command"


def test_a_key_is_made_with_limits_and_revoked_by_name(user: User) -> None:
    arguments = [
        "api-keys", "create", "--name", "limited", "--model", "openai/*", "--allow-ip", "127.0.0.0/8",
        "--expires-at", "2031-01-01T00:00:00Z", "--requests-per-minute", "5", "--json",
    ]  # fmt: skip
    made = ownkey(*arguments, **asking(user)).json
    assert (made["scopes"], made["models"], made["allowed_ips"]) == (["gateway"], ["openai/*"], ["127.0.0.0/8"])
    assert (made["limits"], made["expires_at"]) == ({"requests_per_minute": 5}, "2031-01-01T00:00:00.000Z")
    assert works(user, made["key"]) == 200
    table = ownkey("api-keys", "list", **asking(user)).out
    assert made["prefix"] in table
    assert made["key"] not in table
    assert ownkey("api-keys", "revoke", "limited", "--json", **asking(user)).json == {"revoked": made["id"]}
    assert works(user, made["key"]) == 401
    is_told(ownkey("api-keys", "revoke", "limited", **asking(user)), 1, "0 API keys have the id or name 'limited'")


def test_keys_are_listed_as_json(user: User) -> None:
    rows = ownkey("api-keys", "list", "--json", **asking(user)).json
    assert "all" in {row["name"] for row in rows}
    assert not [row for row in rows if "key" in row]


def test_a_wrong_password_is_told(user: User) -> None:
    arguments = ("api-keys", "create", "--email", user.email, "--name", "x")
    is_told(ownkey(*arguments, stdin="not the password\n", url=user.stack.url), 1, "401 invalid_api_key")
    is_told(ownkey(*arguments, stdin="", url=user.stack.url), 1, "no password was given")
    is_told(ownkey(*arguments, stdin=b"\xff\xfe\n", url=user.stack.url), 1, "not UTF-8")
