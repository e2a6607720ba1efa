"""`ownkey workbench compare`: models on the same prompts, in turn, and the verdict in words."""

from typing import TYPE_CHECKING, Annotated

import typer

from ownkey.cli.client import JsonOption
from ownkey.cli.failures import WrongUsage, one_line_errors
from ownkey.cli.workbench import options

if TYPE_CHECKING:
    from ownkey.cli.workbench.targets import Chooser, Chosen

Spec = typer.Option(help="preset:model, or 'URL model'; append the name of the variable that holds its key")


def compare(
    a: Annotated[str | None, Spec] = None,
    b: Annotated[str | None, Spec] = None,
    endpoint: options.Endpoint = None,
    preset: options.Preset = None,
    model: Annotated[list[str] | None, typer.Option("--model", "-m", help="At one endpoint; twice or more")] = None,
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
    prices: Annotated[
        list[str] | None, typer.Option("--prices", help="IN,OUT in USD per million tokens; once, or once a model")
    ] = None,
    judge_model: Annotated[
        str | None, typer.Option("--judge-model", help="Grades rubrics and prefers answers, each pair in both orders")
    ] = None,
    judge_endpoint: options.JudgeEndpoint = None,
    judge_key_env: options.JudgeKeyEnv = None,
    judge_prices: options.JudgePrices = None,
    embedding_model: options.EmbeddingModel = None,
    embedding_price: options.EmbeddingPrice = None,
    seed: options.Seed = 0,
    output: options.Outputs = None,
    run_dir: options.RunDir = options.RUN_FOLDER,
    check: options.Check = True,
    yes: options.Yes = False,
    as_json: JsonOption = False,
) -> None:
    """Compare two models or more on the same prompts: paired statistics, intervals, and which is better in words."""
    with one_line_errors():
        from ownkey.cli.workbench.execution import execute
        from ownkey.cli.workbench.report import ERROR, Counts, check_outputs, report, write_outputs
        from ownkey.cli.workbench.start import Asked, begin
        from ownkey.cli.workbench.targets import open_chooser
        from ownkey.workbench.engine import Ending

        check_outputs(output or ())
        asked = Asked(
            suite=suite, mapping=mapping or (), template=template, suite_format=suite_format, limit=limit,
            concurrency=concurrency, repeats=repeats, warm_up=warm_up, max_tokens=max_tokens,
            temperature=temperature, timeout=timeout, retries=retries, max_cost=max_cost, judge_model=judge_model,
            judge_endpoint=judge_endpoint, judge_key_env=judge_key_env, judge_prices=judge_prices,
            embedding_model=embedding_model, embedding_price=embedding_price, seed=seed,
            check=check, yes=yes, run_dir=run_dir,
        )  # fmt: skip
        chooser = open_chooser()
        specs = [spec for spec in (a, b) if spec is not None]
        file = begin(asked, chooser, _models(chooser, specs, model or [], endpoint, preset, api_key_env, prices or []))
        ended = execute(file)
        counts = Counts(file)
        answered = all(target.success.count for target in ended.summary.targets)
        code = 0 if ended.ending is Ending.FINISHED and answered else ERROR
        report(file, ended, as_json=as_json, counts=counts, code=code)
        write_outputs(file, ended.summary, output or ())
    if code:
        raise typer.Exit(code)


def _models(
    chooser: "Chooser",
    specs: list[str],
    names: list[str],
    endpoint: str | None,
    preset: str | None,
    key_env: str | None,
    prices: list[str],
) -> "list[Chosen]":
    count = len(specs) + len(names)
    if count < 2:
        raise WrongUsage("give two models: --model A --model B, or --a openai:gpt-5-mini --b 'http://host/v1 llama'")
    if len(prices) not in (0, 1, count):
        raise WrongUsage(f"--prices is given once for all, or {count} times")
    each = iter(prices * count if len(prices) == 1 else prices or [None] * count)
    found = [chooser.written(spec, next(each)) for spec in specs]
    found += [chooser.at(endpoint, preset, name, key_env, next(each)) for name in names]
    return found
