"""Programs that people run in a terminal, pointed at Ownkey by environment variables alone: `llm` and Claude Code.

`llm-gemini` is missing here: it has Google's address in its code and cannot be pointed anywhere else.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.services.clients import environment_of, pointed_at, run
from tests.services.stack import Stack, User

PROVIDERS = ["openai", "anthropic"]
LLM_MODELS = ("echo", "tool", "error-401", "error-429")
WEATHER = """
def get_weather(city: str) -> str:
    "The weather in a city"
    return "4 degrees"
"""


@pytest.fixture(scope="module")
def user(stack: Stack) -> User:
    return stack.user("terminal-clients", openai="sk-test-openai-0004", anthropic="sk-ant-test-0004")


def llm(user: User, home: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run `llm`, with one model of its own for every simulated one."""
    rows = [f"- {{model_id: {name}, model_name: {name}, supports_tools: true}}\n" for name in llm_models()]
    (home / "extra-openai-models.yaml").write_text("".join(rows))
    environment = pointed_at(user) | {"LLM_USER_PATH": str(home)}
    return run([environment_of("llm") / "bin" / "llm", *arguments], environment, home)


def llm_models() -> list[str]:
    return [f"{provider}/{model}" for provider in PROVIDERS for model in LLM_MODELS]


@pytest.mark.parametrize(
    ("model", "stream"),
    [
        ("openai/echo", True),
        ("anthropic/echo", False),
        ("gpt-4o-mini", False),
        ("claude-sonnet-4.5", True),
        *(
            pytest.param(model, stream, marks=pytest.mark.long)
            for model, stream in (
                ("openai/echo", False),
                ("anthropic/echo", True),
                ("gpt-4o-mini", True),
                ("claude-sonnet-4.5", False),
            )
        ),
    ],
)
def test_llm_prints_the_answer(user: User, tmp_path: Path, model: str, stream: bool) -> None:
    """The last two are llm's own names: its OpenAI and its Anthropic plug-in, with nothing configured."""
    how = [] if stream else ["--no-stream"]
    finished = llm(user, tmp_path, "prompt", "-m", model, "-s", "Be brief.", *how, "Hello there")
    assert (finished.returncode, finished.stdout.strip()) == (0, "Hello there"), finished.stderr


@pytest.mark.parametrize("provider", PROVIDERS)
def test_llm_calls_a_tool_and_prints_what_came_of_it(user: User, tmp_path: Path, provider: str) -> None:
    finished = llm(user, tmp_path, "-m", f"{provider}/tool", "--functions", WEATHER, "--td", "weather in Oslo?")
    assert (finished.returncode, finished.stdout.strip()) == (0, "4 degrees"), finished.stderr
    assert "get_weather" in finished.stderr


@pytest.mark.parametrize(
    ("provider", "status"),
    [
        ("openai", 401),
        ("anthropic", 429),
        pytest.param("openai", 429, marks=pytest.mark.long),
        pytest.param("anthropic", 401, marks=pytest.mark.long),
    ],
)
def test_llm_tells_the_providers_error(user: User, tmp_path: Path, provider: str, status: int) -> None:
    finished = llm(user, tmp_path, "-m", f"{provider}/error-{status}", "Hello there")
    assert finished.returncode == 1
    assert f"Error code: {status}" in finished.stderr


def test_llm_embeds(user: User, tmp_path: Path) -> None:
    finished = llm(user, tmp_path, "embed", "-m", "3-small", "-c", "Hello there")
    assert finished.returncode == 0, finished.stderr
    assert len(json.loads(finished.stdout)) == 1536


def claude_code(
    user: User, home: Path, model: str, prompt: str, *arguments: str, **environment: str
) -> tuple[int, dict[str, Any]]:
    """One run of Claude Code without a terminal in the folder `home/work`: its exit status and its JSON result."""
    (program,) = environment_of("node").glob("node_modules/@anthropic-ai/claude-code-*/claude")
    settings = {
        "ANTHROPIC_BASE_URL": user.stack.url,
        "ANTHROPIC_AUTH_TOKEN": user.key,
        "ANTHROPIC_MODEL": model,
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": model,
        "CLAUDE_CONFIG_DIR": str(home / "claude"),
        # No telemetry, no error reports, no updates: it talks to Ownkey and to nobody else.
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
    }
    work = home / "work"
    work.mkdir(exist_ok=True)
    command = [program, "-p", prompt, "--output-format", "json", "--max-turns", "4", *arguments]
    finished = run(command, settings | environment, home, folder=work)
    assert finished.stdout, finished.stderr
    return finished.returncode, json.loads(finished.stdout)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_claude_code_reads_a_file_and_finishes(user: User, tmp_path: Path, provider: str) -> None:
    note = tmp_path / "note.txt"
    note.write_text("the word is fig\n")
    prompt = f"What does the note say?\nsandbox:call Read {json.dumps({'file_path': str(note)})}"
    status, result = claude_code(user, tmp_path, f"{provider}/tool", prompt, "--allowedTools", "Read")
    assert (status, result["subtype"], result["is_error"]) == (0, "success", False)
    assert "the word is fig" in result["result"]
    assert result["num_turns"] == 2
    assert result["usage"]["output_tokens"] > 0


@pytest.mark.parametrize("provider", PROVIDERS)
def test_claude_code_runs_a_command(user: User, tmp_path: Path, provider: str) -> None:
    direction = json.dumps({"command": "printf fig > made.txt && cat made.txt", "description": "Make a file"})
    prompt = f"Make a file.\nsandbox:call Bash {direction}"
    status, result = claude_code(user, tmp_path, f"{provider}/tool", prompt, "--allowedTools", "Bash")
    assert (status, result["result"]) == (0, "fig")
    assert (tmp_path / "work" / "made.txt").read_text() == "fig"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_claude_code_makes_calls_side_by_side(user: User, tmp_path: Path, provider: str) -> None:
    """`tools` answers with all the calls it is told to make, in one turn."""
    directions = [f"sandbox:call Read {json.dumps({'file_path': str(tmp_path / name)})}" for name in ("one", "two")]
    (tmp_path / "one").write_text("apple\n")
    (tmp_path / "two").write_text("pear\n")
    prompt = "\n".join(["Read both.", *directions])
    status, result = claude_code(user, tmp_path, f"{provider}/tools", prompt, "--allowedTools", "Read")
    assert status == 0
    assert "apple" in result["result"]
    assert "pear" in result["result"]


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_claude_code_tells_the_providers_error(user: User, tmp_path: Path, provider: str, status: int) -> None:
    code, result = claude_code(user, tmp_path, f"{provider}/error-{status}", "Hello", CLAUDE_CODE_MAX_RETRIES="0")
    assert (code, result["is_error"], result["api_error_status"]) == (1, True, status)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_claude_code_comes_through_when_every_second_call_fails(user: User, tmp_path: Path, provider: str) -> None:
    for _ in range(2):
        status, result = claude_code(user, tmp_path, f"{provider}/flaky-2", "Hello")
        assert (status, result["is_error"]) == (0, False)
        assert "Hello" in result["result"]
