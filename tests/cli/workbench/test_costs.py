"""What a run may cost is shown before it begins, and never exceeded."""

from tests.cli.workbench.shell import Shell

RUN = ("workbench", "run", "--preset", "openai", "--no-check", "--model", "echo")


def test_the_preview_tells_what_is_likely_and_the_most(shell: Shell) -> None:
    ran = shell.run(*RUN, "--suite", shell.echoes(2), "--prices", "1,2", "--max-tokens", "100")
    assert ran.code == 0
    assert "2 calls to openai:echo: likely $0.000" in ran.err
    assert "$" in ran.out.splitlines()[1]


def test_a_listed_model_has_its_price(shell: Shell) -> None:
    given = ("--model", "gpt-5-mini", "--suite", shell.echoes(1), "--json")
    ran = shell.run("workbench", "run", "--preset", "openai", "--no-check", *given)
    assert "likely $" in ran.err
    assert float(ran.json["summary"]["targets"][0]["cost_usd"]) > 0


def test_on_a_pipe_a_run_beyond_its_limit_does_not_begin(shell: Shell) -> None:
    ran = shell.run(*RUN, "--suite", shell.echoes(3), "--prices", "100,100", "--max-cost", "0.0001")
    assert ran.code == 1
    assert "more than --max-cost $0.0001" in ran.err
    assert "nothing was sent" in ran.err
    assert shell.asked() == []


def test_a_run_ends_before_its_limit_is_exceeded(shell: Shell) -> None:
    given = ("--prices", "0,1000", "--max-tokens", "10", "--max-cost", "0.025", "--yes", "--json")
    ran = shell.run(*RUN, "--suite", shell.echoes(10), *given)
    assert ran.code == 1
    assert 0 < len(shell.asked()) < 10
    assert ran.json["remaining"] > 0
    assert float(ran.json["summary"]["targets"][0]["cost_usd"]) <= 0.025
    assert "--max-cost: the rest was not sent" in ran.err
