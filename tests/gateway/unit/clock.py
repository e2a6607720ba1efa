"""A clock that moves only when told."""


class Clock:
    """Called as `time.time` is: Unix seconds."""

    def __init__(self, now: float = 1_900_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now
