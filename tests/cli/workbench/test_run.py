"""`ownkey workbench run` against a running sandbox."""

import json
import xml.etree.ElementTree as ET

import pytest
from tests.cli.running import is_told
from tests.cli.workbench.shell import Shell, outcomes, ownkey_of, results_in
from tests.services.stack import User

RUN = ("workbench", "run", "--preset", "openai")


def test_a_suite_that_passes_ends_with_0_and_its_figures(shell: Shell) -> None:
    ran = shell.run(*RUN, "--model", "echo", "--suite", shell.echoes(4))
    assert ran.code == 0, ran
    row = ran.out.splitlines()[1]
    assert row.startswith("openai:echo")
    assert "4/4 (51% to 100%)" in row
    assert "4 calls to openai:echo" in ran.err
    assert "Results: workbench-runs/wrun_" in ran.out


def test_a_pipe_gets_a_line_a_result(shell: Shell) -> None:
    suite = shell.suite(
        {"id": "good", "prompt": "yes", "expected": "yes"}, {"id": "bad", "prompt": "no", "expected": "x"}
    )
    ran = shell.run(*RUN, "--model", "echo", "--suite", suite)
    first, second = outcomes(ran)
    assert first.startswith("1/2 good openai:echo: passed ")
    assert second.startswith("2/2 bad openai:echo: failed a check ")


def test_a_failed_check_ends_with_100(shell: Shell) -> None:
    suite = shell.suite({"prompt": "a", "expected": "a"}, {"prompt": "b", "expected": "c"})
    ran = shell.run(*RUN, "--model", "echo", "--suite", suite)
    assert ran.code == 100, ran
    assert "1 answers failed a check" in ran.err


@pytest.mark.parametrize(("least", "code"), [("0.5", 0), ("0.7", 100)])
def test_the_pass_rate_that_is_enough_can_be_stated(shell: Shell, least: str, code: int) -> None:
    suite = shell.suite(*({"prompt": f"{i}", "expected": "0" if i < 2 else f"{i}"} for i in range(3)))
    assert shell.run(*RUN, "--model", "echo", "--suite", suite, "--fail-under", least).code == code


def test_a_prompt_without_an_answer_did_not_pass(shell: Shell) -> None:
    ran = shell.run(*RUN, "--model", "flaky-2-400", "--suite", shell.echoes(4), "--no-check", "--fail-under", "0.9")
    assert ran.code == 100, ran
    assert "50.0%" in ran.err
    strict = shell.run(*RUN, "--model", "flaky-2-400", "--suite", shell.echoes(4), "--no-check", "--json")
    assert (strict.code, strict.json["pass_rate"]) == (1, 0.5)


def test_nothing_graded_cannot_meet_a_pass_rate(shell: Shell) -> None:
    suite = shell.suite({"prompt": "a"})
    assert shell.run(*RUN, "--model", "echo", "--suite", suite).code == 0
    ran = shell.run(*RUN, "--model", "echo", "--suite", suite, "--fail-under", "0.1")
    assert ran.code == 100
    assert "Nothing was graded" in ran.err


def test_nothing_answered_ends_with_1_and_advice(shell: Shell) -> None:
    ran = shell.run(*RUN, "--model", "error-400", "--suite", shell.echoes(2), "--no-check")
    assert ran.code == 1
    assert "2 × " in ran.out
    assert "Every prompt failed" in ran.err


def test_json_is_alone_on_standard_output(shell: Shell) -> None:
    ran = shell.run(*RUN, "--model", "echo", "--suite", shell.echoes(3), "--repeats", "2", "--warm-up", "1", "--json")
    assert (ran.json["status"], ran.json["remaining"], ran.json["exit_code"]) == ("completed", 0, 0)
    (target,) = ran.json["summary"]["targets"]
    assert (target["requests"], target["warm_ups"]) == (6, 1)
    assert ran.json["file"].endswith(f"{ran.json['id']}.jsonl")


def test_the_outputs_have_the_format_of_their_ending(shell: Shell) -> None:
    given = [part for ending in ("json", "csv", "jsonl", "xml", "html") for part in ("--output", f"out.{ending}")]
    suite = shell.suite({"id": "good", "prompt": "a", "expected": "a"}, {"id": "bad", "prompt": "b", "expected": "c"})
    ran = shell.run(*RUN, "--model", "echo", "--suite", suite, *given)
    assert ran.code == 100, ran
    root = ET.parse(shell.folder / "out.xml").getroot()
    assert [case.find("failure") is not None for case in root.iter("testcase")] == [False, True]
    assert json.loads((shell.folder / "out.json").read_text())["schema"] == "ownkey.workbench.run/1"
    assert (shell.folder / "out.html").read_text().lstrip().lower().startswith("<!doctype html>")
    assert len((shell.folder / "out.jsonl").read_text().splitlines()) == 2
    assert len((shell.folder / "out.csv").read_text().splitlines()) == 3


def test_a_curated_suite_is_named_by_its_id(shell: Shell) -> None:
    listed = {row["id"] for row in shell.run("workbench", "suites", "--json").json}
    assert {"qa-easy", "support-medium"} <= listed
    ran = shell.run(*RUN, "--model", "echo", "--suite", "qa-easy", "--limit", "3", "--json")
    assert ran.json["summary"]["targets"][0]["requests"] == 3


def test_a_suite_comes_from_standard_input_with_a_mapping(shell: Shell) -> None:
    csv = "frage,antwort\nhallo,hallo\n"
    given = ("--suite", "-", "--suite-format", "csv", "--mapping", "prompt=frage,expected=antwort")
    ran = shell.run(*RUN, "--model", "echo", *given, "--json", stdin=csv)
    assert ran.code == 0, ran
    assert ran.json["pass_rate"] == 1.0


def test_calls_adapt_to_what_the_check_found(shell: Shell) -> None:
    suite = shell.echoes(2)
    ran = shell.run(*RUN, "--model", "new-limits", "--suite", suite)
    assert ran.code == 0, ran
    assert shell.run(*RUN, "--model", "new-limits", "--suite", suite, "--no-check").code == 1


def test_an_open_loop_counts_from_when_calls_were_due(shell: Shell) -> None:
    given = ("--arrival", "constant", "--rate", "100", "--concurrency", "1", "--json", "--objective", "e2e=60")
    ran = shell.run(*RUN, "--model", "slow-50", "--suite", shell.echoes(6), *given)
    (target,) = ran.json["summary"]["targets"]
    # The sixth was due after 50 ms, and could be sent when five answers of 50 ms each were there.
    assert target["metrics"]["late_ms"]["max"] >= 150
    assert target["metrics"]["latency_ms"]["max"] >= 200
    assert target["good"]["count"] < 6


def test_a_rubric_is_graded_by_a_judge_at_an_endpoint_of_its_own(shell: Shell) -> None:
    (shell.folder / "tests.yaml").write_text(
        "prompts: ['say {{word}}']\ntests:\n"
        "  - vars: {word: tea}\n    assert: [{type: llm-rubric, value: 'The answer has \"tea\" in it.'}]\n"
        "  - vars: {word: milk}\n    assert: [{type: llm-rubric, value: 'The answer has \"tea\" in it.'}]\n"
    )
    judge = ("--judge-model", "judge", "--judge-endpoint", shell.endpoint, "--judge-key-env", "THE_KEY")
    ran = shell.run(*RUN, "--model", "echo", "--suite", "tests.yaml", *judge, "--json")
    assert (ran.code, ran.json["pass_rate"]) == (100, 0.5), ran
    is_told(
        shell.run(*RUN, "--model", "echo", "--suite", "tests.yaml", "--judge-model", "judge"), 2, "--judge-endpoint"
    )


def test_similarity_is_graded_by_an_embedding_model(shell: Shell) -> None:
    (shell.folder / "tests.yaml").write_text(
        "prompts: ['{{text}}']\ntests:\n"
        "  - vars: {text: the cat sat on the mat}\n    assert: [{type: similar, value: the cat sat on the mat}]\n"
    )
    where = (
        "--embedding-model",
        "text-embedding-3-small",
        "--judge-endpoint",
        shell.endpoint,
        "--judge-key-env",
        "THE_KEY",
    )
    ran = shell.run(*RUN, "--model", "echo", "--suite", "tests.yaml", *where, "--json")
    assert (ran.code, ran.json["pass_rate"]) == (0, 1.0), ran


def test_without_an_endpoint_the_run_goes_through_ownkey(shell: Shell, user: User) -> None:
    user.add_key("openai", "sk-through-ownkey-0001")
    ran = shell.run(
        "workbench", "run", "--model", "openai/echo", "--suite", shell.echoes(2), "--json", **ownkey_of(user)
    )
    assert ran.code == 0, ran
    assert ran.json["summary"]["targets"][0]["label"] == "ownkey:openai/echo"
    assert user.api.get("/usage").json()["total"]["requests"] >= 2


def test_the_file_of_a_run_holds_no_key(shell: Shell) -> None:
    shell.run(*RUN, "--model", "echo", "--suite", shell.echoes(2))
    (path,) = shell.runs()
    assert path.stat().st_mode & 0o077 == 0
    assert shell.key not in path.read_text()
    assert len(results_in(path)) == 2
