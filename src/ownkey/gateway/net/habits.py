"""What an origin does with its connections after an answer, learned from what became of earlier ones.

Some servers announce keep-alive and close all the same right after a streamed answer (llama.cpp's does). A request
that is written in the moment of such a close is lost.
"""

_SOON = 1.0
"""Seconds after an answer within which a close is a habit, and no idle connection growing old."""
_STRIKES = 2
_REMEMBERED = 60.0
"""Seconds for which connections are not kept after the last strike."""


class Habit:
    """Of one origin, after answers of one kind: streamed or whole. Times are the event loop's, in seconds.

    Until a connection has rested after such an answer and was still open, nobody knows whether the origin closes it:
    it is `trusted` from then on, and no more after a close that came soon. After two of those in a row connections are
    not kept for a minute.
    """

    __slots__ = ("_rest", "_strikes", "_until", "trusted")

    def __init__(self, rest: float, trusted: bool) -> None:
        """Where the origin is not trusted, a connection rests for `rest` seconds before it is used again."""
        self._rest = rest
        self._strikes = 0
        self._until = 0.0
        self.trusted = trusted

    def keeps(self, now: float) -> bool:
        """Whether a connection may be kept after such an answer."""
        return self._strikes < _STRIKES or now >= self._until

    def has_rested(self, since: float, now: float) -> bool:
        """Whether a connection that is idle since then may be used again, if it is open."""
        return self.trusted or now - since >= self._rest

    def stayed_open(self) -> None:
        """A connection that had rested was open."""
        self.trusted = True
        self._strikes = 0

    def closed(self, since: float, now: float) -> None:
        """The origin closed a connection that was idle since then, or lost a request on it."""
        if now - since < _SOON:
            self.trusted = False
            self._strikes = min(self._strikes + 1, _STRIKES)
            self._until = now + _REMEMBERED


Habits = tuple[Habit, Habit]
"""Of one origin, after whole answers and after streamed ones."""


def new_habits(rest: float) -> Habits:
    """Those of an origin of which nothing is known: a close is feared after streams only."""
    return Habit(rest, trusted=True), Habit(rest, trusted=False)
