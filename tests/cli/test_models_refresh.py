"""`ownkey models refresh`: prices renewed in a data directory, and taken over by a running server."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from tests.cli.running import ownkey
from tests.services.stack import Stack

from ownkey.providers.price_source import INCLUDED

MODEL = {"id": "gpt-5-mini", "match": {"starts_with": "gpt-5-mini"}}


def published(**prices: Any) -> str:
    """A small file in genai-prices' format, with the given price of one model."""
    rows: list[dict[str, Any]] = [
        {
            "id": name,
            "name": name,
            "api_pattern": "x",
            "models": [{"id": "other", "match": {"equals": "other"}, "prices": {"input_mtok": 1, "output_mtok": 1}}],
        }
        for name in INCLUDED
    ]
    rows[INCLUDED.index("openai")]["models"].append(MODEL | {"context_window": 1234, "prices": prices})
    return json.dumps(rows)


def refresh(folder: Path, *more: str) -> Any:
    return ownkey("models", "refresh", "--data-dir", str(folder), *more)


def test_a_refresh_from_the_installed_package_changes_nothing_when_it_is_the_one_we_came_with(tmp_path: Path) -> None:
    ran = refresh(tmp_path, "--json")
    assert ran.code == 0, ran.err
    report = ran.json
    assert report["source"].startswith("genai-prices ")
    assert [report[kind] for kind in ("new", "raised", "lowered", "gone", "context_windows")] == [[]] * 5
    assert report["models"] > 1000
    assert (tmp_path / "prices.json").stat().st_mode & 0o777 == 0o600


def test_a_refresh_from_a_file_says_what_is_new_raised_lowered_and_gone(tmp_path: Path) -> None:
    file = tmp_path / "prices-of-tomorrow.json"
    file.write_text(published(input_mtok=2, output_mtok=2))
    first = refresh(tmp_path, "--file", str(file), "--json").json
    assert "other" in [change["model"] for change in first["new"]]
    assert len(first["gone"]) > 1000
    (raised,) = first["raised"]
    assert (raised["provider"], raised["model"]) == ("openai", "gpt-5-mini")
    assert (raised["before"]["input"], raised["after"]["input"]) == ("0.25", "2")
    file.write_text(published(input_mtok=1, output_mtok=2))
    told = refresh(tmp_path, "--file", str(file))
    assert "1 lowered:" in told.out
    assert "2 / 2" in told.out
    assert "1 / 2" in told.out


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{}", "not in the format"),
        ("[]", "no prices of openai"),
        ("[" * 200_000, "nested too deeply"),
        (published(input_mtok=-1, output_mtok=1), "openai: gpt-5-mini: prices.input_mtok: -1 is no price"),
    ],
)
def test_a_broken_file_changes_nothing_and_says_why(tmp_path: Path, content: str, complaint: str) -> None:
    file = tmp_path / "given.json"
    file.write_text(published(input_mtok=2, output_mtok=2))
    assert refresh(tmp_path, "--file", str(file)).code == 0
    before = (tmp_path / "prices.json").read_bytes()
    file.write_text(content)
    ran = refresh(tmp_path, "--file", str(file))
    assert ran.code == 1
    assert ran.err.startswith(f"ownkey: {file}: ")
    assert complaint in ran.err
    assert "nothing was changed" in ran.err
    assert (tmp_path / "prices.json").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["given.json", "prices.json"]


def test_a_file_of_500_megabytes_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "huge.json"
    with file.open("wb") as opened:
        opened.truncate(500 * 1024 * 1024)
    ran = refresh(tmp_path, "--file", str(file))
    assert (ran.code, "larger than 32 MiB" in ran.err) == (1, True)


@pytest.mark.parametrize("arguments", [["--file", "/nowhere/prices.json"], ["--file", "/dev/zero"]])
def test_what_is_no_file_is_told_in_a_line(tmp_path: Path, arguments: list[str]) -> None:
    ran = refresh(tmp_path, *arguments)
    assert ran.code == 1
    assert len(ran.err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_without_a_data_directory_nothing_is_made(tmp_path: Path) -> None:
    ran = refresh(tmp_path / "absent")
    assert ran.code == 1
    assert "no data directory" in ran.err
    assert not (tmp_path / "absent").exists()


def test_a_running_server_takes_new_prices_over_and_keeps_them(own_stack: Stack, tmp_path: Path) -> None:
    user = own_stack.user("refresh", openai="sk-refresh-0001-abcdefgh")

    def price() -> str:
        rows = user.api.get("/models", params={"filter": "provider:openai"}).json()["items"]
        return next(row["input_usd"] for row in rows if row["id"] == "openai/gpt-5-mini")

    assert price() == "0.25"
    file = tmp_path / "prices-of-tomorrow.json"
    file.write_text(published(input_mtok=7, output_mtok=9))
    assert refresh(own_stack.data_dir, "--file", str(file)).code == 0
    deadline = time.monotonic() + 60
    while price() != "7":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    rows = user.api.get("/models").json()["items"]
    (row,) = [row for row in rows if row["id"] == "openai/gpt-5-mini"]
    assert row["price_differs"]
    assert row["stated_usd"] == {"input": "0.25", "output": "2"}
    receipt = user.receipt(user.chat("openai/gpt-5-mini"))
    tokens = receipt["input_tokens"] * 7 + receipt["output_tokens"] * 9
    assert float(receipt["list_cost_usd"]) == pytest.approx(tokens / 1e6)

    own_stack.ownkey.stop()
    own_stack.start()
    user = own_stack.user("refresh-2")
    assert price() == "7"
