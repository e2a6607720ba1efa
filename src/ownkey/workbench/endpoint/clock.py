"""The monotonic clock of all stamps, told as Unix seconds."""

import time
from typing import Self

from msgspec import Struct


class Clock(Struct, frozen=True):
    """`offset` is what Unix time was ahead of `time.monotonic()` when the clock was set, in seconds.

    One clock serves a process: then differences between its times are monotonic, whatever becomes of the system's.
    """

    offset: float

    @classmethod
    def set_now(cls) -> Self:
        return cls(time.time() - time.monotonic())

    def unix(self, stamp: float) -> float:
        """Unix seconds of a `time.monotonic()` stamp."""
        return self.offset + stamp
