"""An operator adds a provider with one TOML file, as CONTRIBUTING.md says; the page itself is what is tried."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.running import asking, is_told, ownkey
from tests.providers import test_rows as contract
from tests.services.stack import Process, Stack, User

from ownkey.providers import ProviderRow, load_catalogue

PAGE = Path(__file__).parents[2] / "CONTRIBUTING.md"
SECRET = "ex-good0123456789abcdefghijklmnopqr"


def files_of_the_page() -> dict[str, str]:
    """The page's TOML blocks by the file name in their first line."""
    blocks = re.findall(r"```toml\n# (\S+)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return {Path(name).name: text for name, text in blocks}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a person who follows the page has made: a folder with rows, and a settings file that names it."""
    root = tmp_path_factory.mktemp("etc")
    files = files_of_the_page()
    assert set(files) == {"example.toml", "models.toml", "price_overrides.toml", "ownkey.toml"}
    (root / "providers").mkdir()
    for name in ("example.toml", "models.toml", "price_overrides.toml"):
        (root / "providers" / name).write_text(files[name])
    (root / "ownkey.toml").write_text(files["ownkey.toml"].replace("/etc/ownkey", str(root)))
    return root


@pytest.fixture(scope="module")
def user(folder: Path, sandbox: Process, tmp_path_factory: pytest.TempPathFactory) -> Iterator[User]:
    running = Stack(tmp_path_factory.mktemp("data"), sandbox, OWNKEY_CONFIG=str(folder / "ownkey.toml"))
    yield running.user("follows-the-page")
    assert running.stop() == 0


@pytest.fixture(scope="module")
def row(folder: Path) -> ProviderRow:
    found = load_catalogue([folder / "providers"]).provider("example")
    assert found is not None
    return found


def test_the_row_keeps_the_contract_of_ours(row: ProviderRow) -> None:
    contract.test_addresses_are_well_formed_and_encrypted(row)
    contract.test_a_row_without_an_address_shows_what_one_looks_like(row)
    contract.test_a_row_serves_something(row)
    contract.test_the_key_pattern_matches_the_example(row)
    contract.test_the_check_goes_to_the_providers_own_host_with_the_key_in_a_header(row)
    contract.test_a_key_used_at_an_own_address_is_shown_to_nobody_else(row)
    contract.test_headers_are_ones_that_http_can_carry(row)
    contract.test_prefixes_and_patterns_mean_one_vendor_only(row)
    contract.test_a_row_tells_a_person_all_that_it_needs(row)


def test_the_provider_is_listed_with_all_that_a_person_needs(user: User) -> None:
    rows = ownkey("providers", "--json", **asking(user)).json
    (found,) = [row for row in rows if row["name"] == "example"]
    assert (found["title"], found["signup_url"], found["eu"]) == ("Example AI", "https://example.ai/signup", "unknown")
    assert found["model_count"] == 1
    picture = user.api.get(found["logo"].removeprefix("/api/v1"))
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/svg+xml")
    assert "Example AI" in picture.text


def test_its_models_are_listed_with_the_prices_given(user: User) -> None:
    (model,) = user.api.get("/models", params={"filter": "provider:example"}).json()["items"]
    assert (model["id"], model["tier"], model["context_window"]) == ("example/large", "premium", 131_072)
    assert (model["input_usd"], model["output_usd"], model["cached_input_usd"]) == ("1.5", "6", "0.15")


def test_a_key_is_added_tested_and_used_as_any_other(user: User) -> None:
    added = ownkey("keys", "add", "example", "--json", stdin=SECRET, **asking(user))
    assert added.code == 0, added.err
    assert added.json["status"] == "valid"
    for word, status in (("invalid", "invalid"), ("broke", "quota-exhausted")):
        trial = {"provider": "example", "api_key": f"ex-{word}-0123456789"}
        assert user.api.post("/credentials/test", json=trial).json()["status"] == status

    answer = user.chat("example/large")
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-ownkey-provider"] == "example"
    assert answer.json()["choices"][0]["message"]["content"] == "hello"
    receipt = user.receipt(answer)
    cost = receipt["input_tokens"] * 1.5 + receipt["output_tokens"] * 6
    assert float(receipt["list_cost_usd"]) == pytest.approx(cost / 1e6)
    assert "[DONE]" in user.chat("example-1", stream=True).text
    assert user.chat("example/error-400").status_code == 400
    embedded = user.gateway.post("/v1/embeddings", json={"model": "example/embed", "input": "x"})
    assert embedded.status_code == 200


def test_requests_that_require_the_eu_use_the_key_only_when_it_is_open_to_it(user: User) -> None:
    (stored,) = user.api.get("/credentials").json()["items"]
    assert user.api.put("/preferences", json={"require_eu": True}).status_code == 200
    refused = user.chat("example/large")
    assert (refused.status_code, refused.json()["error"]["code"]) == (451, "residency_not_satisfied")
    wrong = user.api.patch(f"/credentials/{stored['id']}", json={"config": {"region": "mars"}})
    assert (wrong.status_code, wrong.json()["param"]) == (400, "config.region")
    opened = user.api.patch(f"/credentials/{stored['id']}", json={"config": {"region": "eu"}, "test": False})
    assert opened.status_code == 200
    answer = user.chat("example/large")
    assert answer.status_code == 200, answer.text
    assert user.api.post(f"/credentials/{stored['id']}/test").json()["status"] == "valid"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("title = ", "titel = "), ["example.toml", "titel"]),
        (('base_url = "https://api', 'base_url = "ftp://api'), ["example.toml", "base_url"]),
        (("openai_chat", "openai_talk"), ["example.toml", "openai_talk"]),
        (('method = "GET"', 'method = "PUT"'), ["example.toml", "method"]),
        (('"https://eu.api', '"eu.api'), ["example.toml", "hosts.eu.base_url"]),
        (('eu = "unknown"', 'eu = "maybe"'), ["example.toml", "eu"]),
    ],
)
def test_a_mistake_stops_the_start_and_is_named(tmp_path: Path, change: tuple[str, str], words: list[str]) -> None:
    text = files_of_the_page()["example.toml"]
    assert change[0] in text
    rows = tmp_path / "providers"
    rows.mkdir()
    (rows / "example.toml").write_text(text.replace(*change, 1))
    (tmp_path / "ownkey.toml").write_text(f'provider_dirs = ["{rows}"]\n')
    settings = ["--config", str(tmp_path / "ownkey.toml"), "--data-dir", str(tmp_path / "data"), "--port", "0"]
    is_told(ownkey("serve", *settings), 2, *words)
