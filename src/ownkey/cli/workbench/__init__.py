"""`ownkey workbench …`: test any model, compare models, export runs. No server, database or account is needed.

targets      which models are tested, and where the judge is
plans        what is sent: a suite's prompts, limits, load
start        from the options to a run's file, new or resumed
run_files    the run on disk
connections  the upstream client on this machine
execution    the calls, and their progress
report       figures for people, files in other formats, the exit code
run, compare, inspect, chat   the commands; `options` are those they share

Only the commands are imported here: whatever is heavy is imported when one runs.
"""

import typer

from ownkey.cli.workbench.chat import chat
from ownkey.cli.workbench.compare import compare
from ownkey.cli.workbench.inspect import check, export, suites
from ownkey.cli.workbench.run import run

app = typer.Typer(help="Test any model, compare models, export results; no server is needed.", no_args_is_help=True)
for command in (run, compare, export, suites, check, chat):
    app.command()(command)

__all__ = ["app"]
