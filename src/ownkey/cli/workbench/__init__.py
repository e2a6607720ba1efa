"""`ownkey workbench …`: test any model, compare models, export runs. No server, database or account is needed.

targets      which model is meant               plans        what is to be asked
connections  the way out from this machine      judging      where a judge is
beginning    from options to a run's file       run_files    the run on disk
carrying_out the calls                          progress     how they go
finishing    figures and exit code              tables, previews, outputs
run, compare, export, looking, chat             the commands; `options` are those they share

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
