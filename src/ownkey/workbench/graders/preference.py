"""What a judge preferred over many pairs of answers. Pure."""

from ownkey.workbench.summary import Preference, Verdict


class PreferenceTally:
    """Counts the outcomes of `Judge.prefer`. Pairs without a verdict are counted apart and in no rate."""

    def __init__(self, judge: str) -> None:
        self._judge = judge
        self._wins = {Verdict.A: 0, Verdict.B: 0, Verdict.CANNOT_TELL: 0}
        self._flips = 0
        self.unjudged = 0

    def add(self, outcome: Verdict, *, flipped: bool) -> None:
        """One pair: who won, and whether the judge disagreed with itself."""
        self._wins[outcome] += 1
        self._flips += flipped

    def add_unjudged(self) -> None:
        """One pair of which the judge gave no verdict."""
        self.unjudged += 1

    def preference(self) -> Preference | None:
        """The sums, `flip_rate` over all judged pairs; None before the first."""
        pairs = sum(self._wins.values())
        if not pairs:
            return None
        return Preference(
            judge=self._judge,
            a_wins=self._wins[Verdict.A],
            b_wins=self._wins[Verdict.B],
            ties=self._wins[Verdict.CANNOT_TELL],
            flip_rate=self._flips / pairs,
        )
