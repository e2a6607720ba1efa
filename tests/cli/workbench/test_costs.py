"""What a run may cost is shown before it begins, and never exceeded."""

from tests.cli.running import is_told
from tests.cli.workbench.shell import Shell

RUN = ("workbench", "run", "--preset", "openai", "--no-check", "--model", "echo")


def test_the_preview_tells_what_is_likely_and_the_most(shell: Shell) -> None:
    ran = shell.run(*RUN, "--suite", shell.echoes(2), "--prices", "1,2", "--max-tokens", "100")
    assert ran.code == 0
    assert "2 calls to openai:echo: likely $0.000" in ran.err
    assert "$" in ran.out.splitlines()[1]


def test_a_listed_model_has_its_price(shell: Shell) -> None:
    given = ("--model", "gpt-4o-mini", "--suite", shell.echoes(1), "--json")
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
    assert "spending limit, so the rest was not sent" in ran.err


RUBRICS = (
    "prompts: ['say {{word}}']\ntests:\n"
    "  - vars: {word: tea}\n    assert: [{type: llm-rubric, value: 'The answer has \"tea\" in it.'}]\n"
    "  - vars: {word: milk}\n    assert: [{type: similar, value: say milk}]\n"
)


def grading(shell: Shell) -> tuple[str, ...]:
    (shell.folder / "tests.yaml").write_text(RUBRICS)
    at = ("--judge-endpoint", shell.endpoint, "--judge-key-env", "THE_KEY")
    return ("--suite", "tests.yaml", "--prices", "1,2", "--judge-model", "judge", "--embedding-model", "embed", *at)


def test_the_judge_and_embeddings_are_in_the_preview_and_in_what_was_spent(shell: Shell) -> None:
    prices = ("--judge-prices", "3,4", "--embedding-price", "0.5")
    ran = shell.run(*RUN, *grading(shell), *prices, "--json")
    assert ran.code == 0, ran
    assert "1 to the judge: likely $" in ran.err
    assert "1 to the embedding model: likely $" in ran.err
    assert "in all: likely $" in ran.err
    spent = ran.json["summary"]["spent"]
    assert (spent["calls_beside"], spent["unpriced"]) == (2, 0)
    assert float(spent["beside_usd"]) > 0
    again = shell.run("workbench", "run", "--resume", ran.json["id"])
    assert spent["words"] in again.out


def test_what_grading_costs_is_unknown_without_its_prices(shell: Shell) -> None:
    ran = shell.run(*RUN, *grading(shell), "--json")
    assert "its price is not known (see --judge-prices)" in ran.err
    assert "its price is not known (see --embedding-price)" in ran.err
    assert ran.json["summary"]["spent"]["words"].endswith("what 2 calls cost is not known.")


def test_a_limit_needs_the_prices_of_grading(shell: Shell) -> None:
    limited = (*RUN, *grading(shell), "--max-cost", "1")
    is_told(shell.run(*limited), 2, "give --judge-prices")
    is_told(shell.run(*limited, "--judge-prices", "1,1"), 2, "give --embedding-price")
    is_told(shell.run(*limited, "--judge-prices", "1"), 2, "--judge-prices '1' is not IN,OUT")
    is_told(shell.run(*limited, "--judge-prices", "1,1", "--embedding-price", "x"), 2, "--embedding-price 'x'")
    assert shell.asked() == []


def test_prices_of_nobody_are_refused(shell: Shell) -> None:
    suite = ("--suite", shell.echoes(1))
    is_told(shell.run(*RUN, *suite, "--judge-prices", "1,1"), 2, "goes with --judge-model")
    is_told(shell.run(*RUN, *suite, "--embedding-price", "1"), 2, "goes with --embedding-model")


def test_a_resumed_run_knows_what_its_judge_has_cost(shell: Shell) -> None:
    prices = ("--judge-prices", "3,4", "--embedding-price", "0.5")
    ran = shell.run(*RUN, *grading(shell), *prices, "--json")
    again = shell.run("workbench", "run", "--resume", ran.json["id"], "--json")
    assert again.json["summary"]["spent"] == ran.json["summary"]["spent"]
