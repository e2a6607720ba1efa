"""`ownkey bench`: every prompt × every model."""

import json
import re

from tests.cli.running import is_told
from tests.cli.workbench.shell import Shell, ownkey_of
from tests.services.stack import User

BENCH = ("bench", "--no-check")


def test_each_prompt_has_a_table_with_the_fastest_first(shell: Shell) -> None:
    ran = shell.run(*BENCH, "-t", "openai:slow-300", "-t", "openai:slow-5", "--complexity", "simple", "--prices", "1,1")
    assert ran.code == 0, ran
    tables = ran.out.split("simple-")[1:]
    assert len(tables) == 3
    for table in tables:
        lines = table.splitlines()
        assert lines[1].split()[:4] == ["provider", "model", "seconds", "TTFT"]
        assert [line.split()[1] for line in lines[2:4]] == ["slow-5", "slow-300"]
        assert "$0.0" in lines[2]
        assert lines[4].startswith("  openai slow-5: ")
    averages = ran.out.split("Averages by provider\n")[1].splitlines()
    assert averages[1].split()[0] == "openai"
    assert averages[1].rstrip().endswith("6/6")


def test_the_results_are_written_with_the_utc_time_in_their_name(shell: Shell) -> None:
    ran = shell.run(*BENCH, "-t", "openai:echo", "--complexity", "medium", "--repeats", "2", "--json")
    (path,) = shell.folder.glob("benchmark_results_*.json")
    assert re.fullmatch(r"benchmark_results_\d{8}T\d{6}Z\.json", path.name)
    written = json.loads(path.read_text())
    assert written["schema"] == "ownkey.bench/1"
    assert ran.json == written | {"file": path.name}
    assert {work["group"] for work in written["work"]} == {"medium"}
    assert all([answer["repetition"] for answer in work["answers"]] == [0, 1] for work in written["work"])
    assert shell.key not in path.read_text()


def test_a_missing_key_skips_that_provider_and_says_so(shell: Shell) -> None:
    ran = shell.run(*BENCH, "-t", "openai:echo", "-t", "groq:echo", "--complexity", "simple", "--json")
    assert ran.code == 0, ran
    assert [target["label"] for target in ran.json["targets"]] == ["openai:echo"]
    (skipped,) = ran.json["skipped"]
    assert skipped["label"] == "groq:echo"
    assert "GROQ_API_KEY" in skipped["reason"]
    assert "Skipped groq:echo: no key" in ran.err
    none = shell.run(*BENCH, "-t", "groq:echo", "--complexity", "simple")
    assert none.code == 1
    assert "no model is left" in none.err


def test_a_model_that_does_not_answer_is_skipped_by_the_check(shell: Shell) -> None:
    ran = shell.run("bench", "-t", "openai:echo", "-t", "openai:error-404", "--complexity", "simple")
    assert ran.code == 0, ran
    assert "Skipped openai:error-404: " in ran.err


def test_providers_are_averaged_apart(shell: Shell) -> None:
    ran = shell.run(*BENCH, "-t", "openai:slow-300", "-t", "mistral:echo THE_KEY", "--complexity", "simple", "--json")
    averages = ran.json["averages"]
    assert [average["provider"] for average in averages] == ["mistral", "openai"]
    assert averages[1]["seconds"] >= 0.3
    assert [average["answered"] for average in averages] == [3, 3]


def test_a_work_size_asks_for_as_much_as_it_says(shell: Shell) -> None:
    ran = shell.run(*BENCH, "-t", "openai:lorem-5000", "--size", "1k-1k", "--json")
    (work,) = ran.json["work"]
    (answer,) = work["answers"]
    assert 900 < answer["input_tokens"] < 1100
    assert answer["output_tokens"] == 1000


def test_failures_stand_in_the_table(shell: Shell) -> None:
    ran = shell.run(*BENCH, "-t", "openai:echo", "-t", "openai:error-400", "--complexity", "simple")
    assert ran.code == 1
    assert "0/1" in ran.out
    assert "openai error-400: " in ran.out


def test_models_are_reached_through_ownkey(shell: Shell, user: User) -> None:
    user.add_key("openai", "sk-bench-through-ownkey-1")
    ran = shell.run(*BENCH, "--model", "openai/echo", "--complexity", "simple", "--json", **ownkey_of(user))
    assert ran.code == 0, ran
    assert ran.json["averages"][0]["provider"] == "ownkey"


def test_wrong_usage_is_told(shell: Shell) -> None:
    target = ("-t", "openai:echo")
    is_told(shell.run("bench"), 2, "say which models")
    is_told(shell.run("bench", *target, "--complexity", "hard"), 2, "simple, medium, complex")
    is_told(shell.run("bench", *target, "--size", "1m-1m"), 2, "100-300")
    is_told(shell.run("bench", *target, "--load", "constant"), 2, "--rate")
    is_told(shell.run("bench", *target, "--rate", "5"), 2, "--load")
    is_told(shell.run("bench", *target, "--load", "constant", "--overhead"), 2, "not both")
    is_told(shell.run("bench", *target, "--overhead"), 2, "OWNKEY_URL")
