"""`ownkey workbench run`: a suite against a model, figures and an exit code for CI."""

from typing import Annotated

import typer

from ownkey.cli.client import JsonOption
from ownkey.cli.failures import WrongUsage, one_line_errors
from ownkey.cli.workbench import options


def run(
    ctx: typer.Context,
    endpoint: options.Endpoint = None,
    preset: options.Preset = None,
    model: Annotated[str | None, typer.Option("--model", "-m", help="The model's name at the endpoint")] = None,
    api_key_env: options.KeyEnv = None,
    suite: options.SuiteName = None,
    mapping: options.Mapping = None,
    template: options.Template = None,
    suite_format: options.SuiteFormat = None,
    limit: options.Limit = None,
    concurrency: options.Concurrency = 1,
    repeats: options.Repeats = 1,
    warm_up: options.WarmUp = 0,
    max_tokens: options.MaxTokens = 1024,
    temperature: options.Temperature = 0.7,
    timeout: options.Timeout = 60.0,
    retries: options.Retries = 2,
    max_cost: options.MaxCost = None,
    prices: options.PricesOption = None,
    judge_model: options.JudgeModel = None,
    judge_endpoint: options.JudgeEndpoint = None,
    judge_key_env: options.JudgeKeyEnv = None,
    judge_prices: options.JudgePrices = None,
    embedding_model: options.EmbeddingModel = None,
    embedding_price: options.EmbeddingPrice = None,
    arrival: Annotated[str, typer.Option("--arrival", help="closed, or by a schedule: constant, poisson")] = "closed",
    rate: Annotated[float | None, typer.Option("--rate", min=0.001, help="Requests a second of a schedule")] = None,
    objective: Annotated[str | None, typer.Option("--objective", help="For goodput, in ms: ttft=200,e2e=2000")] = None,
    seed: options.Seed = 0,
    output: options.Outputs = None,
    fail_under: Annotated[
        float | None, typer.Option("--fail-under", min=0, max=1, help="Least pass rate, else exit code 100")
    ] = None,
    resume: Annotated[
        str | None, typer.Option("--resume", help="Go on with a run as it was begun, by its id or file")
    ] = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="With --resume: ask failed prompts again")
    ] = False,
    run_dir: options.RunDir = options.RUN_FOLDER,
    check: options.Check = True,
    yes: options.Yes = False,
    as_json: JsonOption = False,
) -> None:
    """Run a suite against a model. Exits with 100 when a check failed, or the pass rate is below --fail-under."""
    with one_line_errors():
        from ownkey.cli.workbench.execution import execute
        from ownkey.cli.workbench.report import Counts, check_outputs, exit_code, report, write_outputs
        from ownkey.cli.workbench.start import Asked, begin, changes_of, reopen
        from ownkey.cli.workbench.targets import open_chooser

        check_outputs(output or ())
        if resume is not None:
            file = reopen(resume, run_dir, changes_of(ctx))
        elif retry_failed:
            raise WrongUsage("--retry-failed goes with --resume")
        elif model is None:
            raise WrongUsage("say which model: --model NAME")
        else:
            asked = Asked(
                suite=suite, mapping=mapping or (), template=template, suite_format=suite_format, limit=limit,
                concurrency=concurrency, repeats=repeats, warm_up=warm_up, max_tokens=max_tokens,
                temperature=temperature, timeout=timeout, retries=retries, max_cost=max_cost,
                judge_model=judge_model, judge_endpoint=judge_endpoint, judge_key_env=judge_key_env,
                judge_prices=judge_prices, embedding_model=embedding_model,
                embedding_price=embedding_price, arrival=arrival, rate=rate, objective=objective, seed=seed,
                check=check, yes=yes, run_dir=run_dir,
            )  # fmt: skip
            chooser = open_chooser()
            file = begin(asked, chooser, [chooser.at(endpoint, preset, model, api_key_env, prices)])
        ended = execute(file, retry_failed=retry_failed)
        counts = Counts(file)
        code = exit_code(ended, counts, fail_under)
        report(file, ended, as_json=as_json, counts=counts, code=code)
        write_outputs(file, ended.summary, output or ())
    if code:
        raise typer.Exit(code)
