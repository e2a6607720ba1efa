"""`ownkey workbench chat`: questions about a run to the model that was tested, with figures that are ours."""

import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ownkey.cli.client import JsonOption
from ownkey.cli.failures import CommandFailed, WrongUsage, one_line_errors
from ownkey.cli.workbench import options

if TYPE_CHECKING:
    from ownkey.cli.workbench.run_files import RunFile
    from ownkey.workbench.records import Message

_TIMEOUT_MS = 120_000.0
_TEMPERATURE = 0.2


def chat(
    run: Annotated[str, typer.Argument(help="A run's id or its file")],
    question: Annotated[str | None, typer.Argument(help="One question; else a conversation")] = None,
    target: Annotated[int, typer.Option(min=0, help="Which of the run's models to question, from 0")] = 0,
    context_tokens: Annotated[int | None, typer.Option(min=500, help="The model's window, if it is small")] = None,
    run_dir: options.RunDir = options.RUN_FOLDER,
    as_json: JsonOption = False,
) -> None:
    """Question the tested model about its own results. It gets the figures and the prompts' ids, so that it can
    cite."""
    with one_line_errors():
        from ownkey.cli.workbench.run_files import RunFile, find_run

        path = find_run(run, run_dir)
        if path is None:
            raise CommandFailed(f"there is no run {run!r} in {run_dir}: see --run-dir")
        file = RunFile.read(path)
        if target >= len(file.plan.targets):
            raise WrongUsage(f"the run has {len(file.plan.targets)} model(s), counted from 0: see --target")
        _converse(file, question, target, context_tokens, as_json=as_json)


def _converse(file: "RunFile", question: str | None, place: int, context_tokens: int | None, *, as_json: bool) -> None:
    """Answer one question, or one after the other until standard input ends."""
    from ownkey.cli.workbench.execution import in_loop
    from ownkey.workbench.records import Message

    turns: list[Message] = []
    while (asked := question or _next_question()) is not None:
        turns.append(Message("user", asked))
        said, left_out = in_loop(_answer(file, place, turns, context_tokens, as_it_comes=not as_json))
        turns.append(Message("assistant", said))
        if as_json:
            print(json.dumps({"answer": said, "left_out": left_out}, ensure_ascii=False))
        if question is not None:
            return


def _next_question() -> str | None:
    if sys.stdin.isatty():
        print("> ", end="", file=sys.stderr, flush=True)
    for line in sys.stdin:
        if line.strip():
            return line.strip()
    return None


async def _answer(
    file: "RunFile", place: int, turns: "list[Message]", context_tokens: int | None, *, as_it_comes: bool
) -> tuple[str, int]:
    """The answer, printed as it arrives, and how many prompts were not described to the model one by one. If the model
    rejects the context as too long, it gets less. Raises CommandFailed when it does not answer.
    """
    from ownkey.cli.workbench.connections import open_connections
    from ownkey.workbench.chat import budgets, build_context, fit_history, shrink
    from ownkey.workbench.endpoint import advice, speak
    from ownkey.workbench.records import Failure, FailureKind, Message, Sampling

    shares, summary = budgets(context_tokens), file.summary()
    sampling = Sampling(shares.answer, _TEMPERATURE, _TIMEOUT_MS)
    budget: int | None = shares.context
    async with open_connections() as connections:
        transport = connections.transport(file.header.ways[place])
        while True:
            context = await build_context(file.plan, summary, file.exported(summary).results, budget)
            messages = [Message("system", context.system), *fit_history(turns, shares.history)]
            said: list[str] = []
            failure: Failure | None = None
            async for piece in speak(transport, file.plan.targets[place], messages, sampling):
                if isinstance(piece, str):
                    said.append(piece)
                    if as_it_comes:
                        print(_shown(piece), end="", flush=True)
                else:
                    failure = piece
            if failure is None:
                if as_it_comes:
                    print()
                return "".join(said), context.left_out
            budget = shrink(budget) if failure.kind is FailureKind.CONTEXT_LENGTH and not said else None
            if budget is None:
                raise CommandFailed(f"{failure.message} {advice(failure.kind)}")


def _shown(text: str) -> str:
    """Without what a terminal would act on."""
    return "".join(letter for letter in text if letter.isprintable() or letter in "\n\t")
