"""Which target of a run has won, if any."""

from ownkey.workbench.summary import RunSummary, Verdict


def winner_of(summary: RunSummary) -> tuple[int, str] | None:
    """The target that was found better than every other, by index, and the verdicts in words; None where none was."""
    for target in range(len(summary.targets)):
        duels = [each for each in summary.comparisons if target in (each.a, each.b)]
        won = [each for each in duels if each.verdict is (Verdict.A if each.a == target else Verdict.B)]
        if duels and len(won) == len(summary.targets) - 1:
            return target, " ".join(each.words for each in won)
    return None
