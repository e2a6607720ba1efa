"""Other people's coding agents work unchanged, whatever kind of provider answers them.

Each agent × provider: two tools called in one turn, an answer made of both results, streams, a failure that is
retried, and an error that reaches the person. docs/clients.md shows how to point each of them, and its table says what
Ownkey adapts; the table is compared with the receipts here.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.services.agents import AGENTS
from tests.services.stack import Stack, User

HERE = Path(__file__).parent
DOCS = Path(__file__).parents[3] / "docs" / "clients.md"
PROVIDERS = {"openai": "sk-test-openai-0005", "anthropic": "sk-ant-test-0005", "gemini": "AIza-test-0005"}
HEADINGS = {"openai": "OpenAI", "anthropic": "Anthropic", "gemini": "Gemini"}
LONG = {name for name in AGENTS if name not in {"codex", "gemini-cli"}}
SHORT = {("codex", "openai"), ("codex", "anthropic"), ("codex", "gemini"), ("gemini-cli", "anthropic")}
PAIRS = [
    pytest.param(agent, provider, marks=[pytest.mark.long] if agent in LONG else [])
    for agent in AGENTS
    for provider in PROVIDERS
]
FEW = [
    pytest.param(agent, provider, marks=[pytest.mark.long] if (agent, provider) not in SHORT else [])
    for agent in AGENTS
    for provider in PROVIDERS
]
"""Where a start takes seconds, the rest is for the long run."""


@pytest.fixture(scope="module")
def user(stack: Stack) -> User:
    return stack.user("agents", **PROVIDERS)


class Receipts:
    """What became of the requests of one test."""

    def __init__(self, user: User) -> None:
        self._user = user
        self._earlier = {item["id"] for item in self._items()}

    def _items(self) -> list[dict[str, Any]]:
        return self._user.api.get("/requests", params={"limit": 200}).json()["items"]

    def of(self, model: str) -> list[dict[str, Any]]:
        """The receipts of the requests for a model, newest first."""
        items = [it for it in self._items() if it["id"] not in self._earlier and it["model"] == model]
        return [self._user.api.get(f"/requests/{item['id']}").json() for item in items]


@pytest.fixture
def receipts(user: User) -> Receipts:
    return Receipts(user)


def documented() -> dict[str, dict[str, str]]:
    """The table of docs/clients.md: agent → column → cell."""
    lines = DOCS.read_text().split("## Agents\n", 1)[1].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    return {row[0]: dict(zip(rows[0], row, strict=True)) for row in rows[1:]}


@pytest.mark.parametrize(("agent", "provider"), PAIRS)
def test_an_agent_calls_tools_side_by_side_and_answers(
    agent: str, provider: str, user: User, receipts: Receipts, tmp_path: Path
) -> None:
    subject = AGENTS[agent]
    prompt = subject.calls("printf fig > one.txt && cat one.txt", "printf plum > two.txt && cat two.txt")
    finished = subject.start(user, tmp_path, f"{provider}/tools", prompt)
    assert finished.returncode == 0, finished.stderr + finished.stdout
    assert [(tmp_path / "work" / name).read_text() for name in ("one.txt", "two.txt")] == ["fig", "plum"]
    answer = subject.answer(finished.stdout)
    assert "fig" in answer
    assert "plum" in answer
    turns = receipts.of(f"{provider}/tools")
    assert {turn["status"] for turn in turns} == {"completed"}
    assert {turn["client_format"] for turn in turns} == {subject.format}
    # Both calls were made in the first turn, and their results sent in the second.
    assert [turn["streamed"] for turn in turns[:2]] == [True, True]
    assert len(turns) == 2
    adapted = sorted({f"`{field}`" for turn in turns for field in turn["adaptations"]})
    assert documented()[agent][HEADINGS[provider]] in {", ".join(adapted) or "nothing", "not recorded"}


@pytest.mark.parametrize(("agent", "provider"), FEW)
def test_an_agent_comes_through_when_every_second_call_fails(
    agent: str, provider: str, user: User, receipts: Receipts, tmp_path: Path
) -> None:
    subject = AGENTS[agent]
    for _ in range(2):
        finished = subject.start(user, tmp_path, f"{provider}/flaky-2", "Say fig")
        assert finished.returncode == 0, finished.stderr + finished.stdout
        assert "fig" in subject.answer(finished.stdout)
    assert {"completed", "failed"} <= {turn["status"] for turn in receipts.of(f"{provider}/flaky-2")}


@pytest.mark.parametrize(("agent", "provider"), FEW)
def test_an_agent_tells_the_providers_error(
    agent: str, provider: str, user: User, receipts: Receipts, tmp_path: Path
) -> None:
    finished = AGENTS[agent].start(user, tmp_path, f"{provider}/error-401", "Say fig")
    assert finished.returncode != 0 or "fig" not in AGENTS[agent].answer(finished.stdout)
    assert re.search("incorrect api key|invalid x-api-key|api key not valid", finished.stderr + finished.stdout, re.I)
    assert receipts.of(f"{provider}/error-401")[0]["http_status"] == 401


@pytest.mark.parametrize("provider", ["anthropic", "gemini"])
def test_codex_patches_a_file_by_its_custom_tool(provider: str, user: User, receipts: Receipts, tmp_path: Path) -> None:
    """A route gives the scripted model the name of one for which Codex offers `apply_patch` as a `custom` tool."""
    route = {"name": "gpt-5.5", "model": f"{provider}/tool", "shadow": True}
    made = user.api.post("/routes", json=route)
    assert made.status_code == 201, made.text
    patch = "*** Begin Patch\n*** Add File: fig.txt\n+ripe\n*** End Patch\n"
    prompt = f"Patch it.\nsandbox:call apply_patch {json.dumps({'input': patch})}"
    finished = AGENTS["codex"].start(user, tmp_path, "gpt-5.5", prompt)
    assert finished.returncode == 0, finished.stderr + finished.stdout
    assert (tmp_path / "work" / "fig.txt").read_text() == "ripe\n"
    assert user.api.delete(f"/routes/{made.json()['id']}").status_code == 204
    assert {turn["status"] for turn in receipts.of(f"{provider}/tool")} == {"completed"}


def test_the_table_names_every_agent_and_the_version_that_is_driven() -> None:
    wanted: dict[str, str] = {}
    for package in HERE.rglob("package.json"):
        described = json.loads(package.read_text())
        wanted |= described["dependencies"] | described.get("optionalDependencies", {})
    assert set(documented()) == set(AGENTS)
    for agent, row in documented().items():
        assert row["Version"] in wanted.values(), agent
