"""`ownkey workbench suites` and `ownkey workbench check`."""

from typing import Annotated, Any

import typer

from ownkey.cli.client import JsonOption
from ownkey.cli.failures import WrongUsage, told_in_a_line
from ownkey.cli.output import show, show_table
from ownkey.cli.workbench import options


def suites(as_json: JsonOption = False) -> None:
    """List the curated suites."""
    import msgspec

    from ownkey.workbench.suites import CuratedSuites

    rows = [msgspec.to_builtins(info) for info in CuratedSuites().curated_suites()]
    show_table(rows, ("id", "task", "difficulty", "prompts", "licence", "description"), as_json, "No suites.")


def check(
    endpoint: options.Endpoint = None,
    preset: options.Preset = None,
    model: Annotated[str, typer.Option("--model", "-m", help="The model's name at the endpoint")] = "",
    api_key_env: options.KeyEnv = None,
    timeout: options.Timeout = 30.0,
    as_json: JsonOption = False,
) -> None:
    """Look whether a model answers and what its endpoint can do. Exits with 1 when it does not."""
    if not model:
        raise WrongUsage("say which model: --model NAME")
    with told_in_a_line():
        from ownkey.cli.workbench.carrying_out import in_loop
        from ownkey.cli.workbench.connections import next_step, open_connections
        from ownkey.cli.workbench.tables import plain
        from ownkey.cli.workbench.targets import open_chooser
        from ownkey.workbench.endpoint import ConnectionCheck

        chosen = open_chooser().at(endpoint, preset, model, api_key_env)

        async def work() -> ConnectionCheck:
            async with open_connections() as connections:
                return (await connections.check(chosen, timeout * 1000))[1]

        found = in_loop(work())
        told: dict[str, Any] = plain(found)
    steps = "\n".join(_step(step) for step in told["steps"])
    show(told, as_json, f"{steps}\n{found.message} {next_step(chosen, found)}".strip())
    if not found.success:
        raise typer.Exit(1)


def _step(step: dict[str, Any]) -> str:
    mark = {True: "ok ", False: "BAD", None: " ? "}[step["ok"]]
    took = f" ({step['ms']:,.0f} ms)" if step.get("ms") is not None else ""
    return f"{mark}  {step['name']}: {step['message']}{took}"
