"""The end of a run: figures, files, the exit code."""

from collections.abc import Sequence
from pathlib import Path

from ownkey.cli.output import show
from ownkey.cli.workbench.carrying_out import Carried
from ownkey.cli.workbench.options import RUN_FOLDER
from ownkey.cli.workbench.outputs import export_to, format_of
from ownkey.cli.workbench.run_files import RunFile
from ownkey.cli.workbench.tables import plain, show_comparison, show_summary, tell
from ownkey.workbench.engine import Ending
from ownkey.workbench.records import Slot
from ownkey.workbench.summary import RunSummary

SUCCESS, ERROR, CHECK_FAILED = 0, 1, 100


class Counts:
    """What became of each call of a run: an answer stands, before it the latest failure counts."""

    def __init__(self, file: RunFile) -> None:
        verdicts: dict[Slot, bool | None] = {}
        unanswered: set[Slot] = set()
        for result in file.results():
            if result.warm_up:
                continue
            if result.observation.ok:
                verdicts[result.slot] = result.passed
                unanswered.discard(result.slot)
            elif result.slot not in verdicts:
                unanswered.add(result.slot)
        self.answered = len(verdicts)
        self.passed = sum(verdict is True for verdict in verdicts.values())
        self.failed = sum(verdict is False for verdict in verdicts.values())
        self.unanswered = len(unanswered)
        self.unanswered_with_checks = sum(bool(file.prompts[slot.position].checks) for slot in unanswered)
        self.missing = file.plan.total - self.answered - self.unanswered

    @property
    def pass_rate(self) -> float | None:
        """Passed of all that should have passed: prompts with checks that were not answered did not pass. None where
        nothing was graded."""
        graded = self.passed + self.failed + self.unanswered_with_checks
        return None if graded == 0 else self.passed / graded


def write_outputs(file: RunFile, summary: RunSummary, outputs: Sequence[Path]) -> None:
    """The run in other formats. Raises CommandFailed."""
    for path in outputs:
        export_to(path, file.exported(summary), format_of(path))
        tell(f"Wrote {path}")


def report(file: RunFile, carried: Carried, *, as_json: bool, counts: Counts, code: int) -> None:
    """Print the figures, and how to go on with a run that is not complete."""
    plan, summary = file.plan, carried.summary
    end = file.end
    if as_json:
        told = {
            "id": file.header.id,
            "status": None if end is None else end.status.value,
            "detail": "" if end is None else end.detail,
            "file": str(file.path),
            "exit_code": code,
            "pass_rate": counts.pass_rate,
            "remaining": counts.missing,
            "summary": plain(summary),
        }
        show(told, True, "")
    else:
        show_summary(plan, summary)
        for pair in summary.comparisons:
            show_comparison(plan, pair)
        print(f"Results: {file.path}")
    if end is not None and end.detail:
        tell(end.detail)
    if counts.missing:
        tell(f"{counts.missing} of {plan.total} calls are left: ownkey workbench run --resume {_named(file)}")
    elif counts.unanswered:
        tell(f"To ask the failed ones again: ownkey workbench run --resume {_named(file)} --retry-failed")


def exit_code(carried: Carried, counts: Counts, fail_under: float | None) -> int:
    """1 for a run that is not complete or brought no answer, 100 when checks failed beyond what is allowed.

    Without `fail_under` a single failed check is enough, and a prompt without an answer is an error.
    """
    if carried.ending is not Ending.FINISHED or not counts.answered:
        return ERROR
    if fail_under is not None:
        rate = counts.pass_rate
        if rate is None:
            tell(
                "Nothing was graded, so that --fail-under cannot be met: the prompts have no checks that could decide."
            )
            return CHECK_FAILED
        if rate < fail_under:
            tell(f"The pass rate {rate:.1%} is below --fail-under {fail_under:.1%}.")
            return CHECK_FAILED
        return SUCCESS
    if counts.failed:
        tell(f"{counts.failed} answers failed a check.")
        return CHECK_FAILED
    return ERROR if counts.unanswered else SUCCESS


def _named(file: RunFile) -> str:
    """The id where the run is in the usual folder, else the path."""
    return file.header.id if file.path.parent == RUN_FOLDER else str(file.path)
