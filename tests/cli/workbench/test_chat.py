"""`ownkey workbench chat`: questions about a run to the model that was tested."""

from tests.cli.running import is_told
from tests.cli.workbench.shell import Shell


def a_run(shell: Shell, model: str) -> str:
    ran = shell.run(
        "workbench", "run", "--preset", "openai", "--model", model, "--suite", shell.echoes(3), "--no-check", "--json"
    )
    return ran.json["id"]


def test_the_tested_model_answers_and_is_told_the_figures(shell: Shell) -> None:
    run = a_run(shell, "echo")
    ran = shell.run("workbench", "chat", run, "say which prompts failed")
    assert (ran.code, ran.out) == (0, "say which prompts failed\n"), ran
    assert shell.asked()[-1] == "say which prompts failed"


def test_a_conversation_comes_from_standard_input(shell: Shell) -> None:
    ran = shell.run("workbench", "chat", a_run(shell, "echo"), stdin="say one\n\nsay two\n")
    assert (ran.code, ran.out) == (0, "say one\nsay two\n"), ran


def test_an_answer_is_told_as_json(shell: Shell) -> None:
    ran = shell.run("workbench", "chat", a_run(shell, "echo"), "say it", "--json")
    assert ran.json == {"answer": "say it", "left_out": 0}


def test_a_model_with_a_small_context_is_told_less(shell: Shell) -> None:
    ran = shell.run("workbench", "chat", a_run(shell, "small-context-900"), "say it")
    assert (ran.code, ran.out) == (0, "say it\n"), ran
    assert shell.asked().count("say it") > 1


def test_what_cannot_be_asked_is_told(shell: Shell) -> None:
    is_told(shell.run("workbench", "chat", "wrun_x", "why?"), 1, "no run 'wrun_x'")
    is_told(shell.run("workbench", "chat", a_run(shell, "echo"), "why?", "--target", "1"), 2, "--target")


def test_what_a_terminal_would_act_on_is_not_printed(shell: Shell) -> None:
    ran = shell.run("workbench", "chat", a_run(shell, "echo"), "say \x1b]0;title\x07 so")
    assert (ran.code, ran.out) == (0, "say ]0;title so\n"), ran
