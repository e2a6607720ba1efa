"""`ownkey workbench compare` against a running sandbox."""

from tests.cli.running import is_told
from tests.cli.workbench.shell import Shell

COMPARE = ("workbench", "compare", "--no-check")


def known_answers(shell: Shell, prompts: int) -> str:
    return shell.suite(
        *({"id": f"q{i}", "prompt": f"Question {i} sandbox:answer {i}", "expected": f"{i}"} for i in range(prompts))
    )


def test_the_better_model_is_named_with_its_reasons(shell: Shell) -> None:
    suite = known_answers(shell, 30)
    ran = shell.run(*COMPARE, "--preset", "openai", "--model", "right-10", "--model", "right-100", "--suite", suite)
    assert ran.code == 0, ran
    assert "passes more often (100 % against" in ran.out
    row = next(line for line in ran.out.splitlines() if line.startswith("passed"))
    assert " B " in row
    assert " to " in row


def test_what_cannot_be_told_says_how_many_more_prompts_would_tell(shell: Shell) -> None:
    suite = known_answers(shell, 10)
    ran = shell.run(*COMPARE, "--a", "openai:right-50", "--b", "openai:right-60", "--suite", suite)
    assert ran.code == 0, ran
    assert "more prompts" in ran.out
    assert "cannot tell" in ran.out


def test_models_at_different_endpoints_are_asked_in_turn(shell: Shell) -> None:
    second = f"{shell.sandbox}/groq/openai/v1 echo THE_KEY"
    ran = shell.run(*COMPARE, "--a", "openai:echo", "--b", second, "--suite", shell.echoes(3), "--json")
    assert ran.code == 0, ran
    assert [target["label"] for target in ran.json["summary"]["targets"]] == ["openai:echo", "groq:echo"]
    assert shell.asked() == [f"say word{i}" for i in range(3) for _ in range(2)]
    assert {metric["metric"] for metric in ran.json["summary"]["comparisons"][0]["metrics"]} >= {"latency_ms", "passed"}


def test_a_judge_prefers_and_its_flip_rate_is_shown(shell: Shell) -> None:
    judge = ("--judge-endpoint", shell.endpoint, "--judge-key-env", "THE_KEY")
    models = ("--preset", "openai", "--model", "right-0", "--model", "right-100")
    suite = known_answers(shell, 6)
    fair = shell.run(*COMPARE, *models, "--suite", suite, "--judge-model", "judge", *judge)
    assert "prefers A 0 times, B 6 times" in fair.out
    biased = shell.run(*COMPARE, *models, "--suite", suite, "--judge-model", "judge-first", *judge)
    assert "contradicted itself in 100% of pairs" in biased.out


def test_the_cost_of_a_passed_answer_is_told_for_both(shell: Shell) -> None:
    prices = ("--prices", "1,1", "--prices", "2,2")
    models = ("--preset", "openai", "--model", "right-100", "--model", "echo")
    ran = shell.run(*COMPARE, *models, *prices, "--suite", known_answers(shell, 4))
    assert "Cost per passed answer: $" in ran.out


def test_a_comparison_needs_two_models(shell: Shell) -> None:
    is_told(shell.run(*COMPARE, "--a", "openai:echo", "--suite", "qa-easy"), 2, "give two models")
    is_told(shell.run(*COMPARE, "--a", "openai", "--b", "openai:x", "--suite", "qa-easy"), 2, "preset:model")
    ran = shell.run(*COMPARE, "--a", "http://127.0.0.1:9/v1", "--b", "openai:x", "--suite", "qa-easy")
    is_told(ran, 2, "has no model")


def test_a_model_that_never_answers_ends_with_1(shell: Shell) -> None:
    models = ("--preset", "openai", "--model", "echo", "--model", "error-400")
    ran = shell.run(*COMPARE, *models, "--suite", shell.echoes(2))
    assert ran.code == 1
    assert "Nothing to compare" in ran.out


def test_a_judge_is_not_asked_again_for_a_run_that_is_complete(shell: Shell) -> None:
    judge = ("--judge-endpoint", shell.endpoint, "--judge-key-env", "THE_KEY", "--judge-model", "judge")
    models = ("--preset", "openai", "--model", "right-0", "--model", "right-100")
    ran = shell.run(*COMPARE, *models, "--suite", known_answers(shell, 3), *judge, "--json")
    assert "compares 3 pairs" in ran.err
    again = shell.run("workbench", "run", "--resume", ran.json["id"], "--json")
    assert "compares" not in again.err
    assert again.json["summary"]["comparisons"] == ran.json["summary"]["comparisons"]
