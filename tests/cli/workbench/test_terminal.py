"""On a terminal a run asks before it spends, and shows one live line."""

import os
import pty
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager

from tests.cli.running import CODE
from tests.cli.workbench.shell import Shell, environment

RUN = ("workbench", "run", "--preset", "openai", "--no-check", "--model", "slow-30", "--prices", "1,1")


class Terminal:
    """A process on a pseudo-terminal, its standard output aside."""

    def __init__(self, process: "subprocess.Popen[bytes]", end: int) -> None:
        self.process = process
        self._end = end
        self.seen = ""

    def until(self, text: str) -> None:
        """Read until a text is there."""
        while text not in self.seen:
            self.seen += self._read() or self._missing(text)

    def rest(self) -> str:
        """Read to the end of the process; all that was seen."""
        while piece := self._read():
            self.seen += piece
        return self.seen

    def type(self, text: str) -> None:
        os.write(self._end, text.encode())

    def _read(self) -> str:
        try:
            return os.read(self._end, 65536).decode(errors="replace")
        except OSError:
            # Linux tells the end of a terminal as an error.
            return ""

    def _missing(self, text: str) -> str:
        raise AssertionError(f"{text!r} did not come: {self.seen}")


@contextmanager
def terminal(shell: Shell, *arguments: str) -> Generator[Terminal]:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, *arguments],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=environment(shell.variables | {"TERM": "xterm", "COLUMNS": "120"}),
        cwd=shell.folder,
    )
    os.close(theirs)
    with process:
        yield Terminal(process, ours)
        process.kill()
    os.close(ours)


def test_nothing_is_sent_to_who_says_no(shell: Shell) -> None:
    with terminal(shell, *RUN, "--suite", shell.echoes(2)) as screen:
        screen.until("Go on?")
        assert "2 calls to openai:slow-30: likely $" in screen.seen
        screen.type("n\n")
        assert "nothing was sent" in screen.rest()
        assert screen.process.wait(30) == 1
    assert shell.asked() == []


def test_a_live_line_shows_how_the_run_goes(shell: Shell) -> None:
    with terminal(shell, *RUN, "--suite", shell.echoes(20), "--yes") as screen:
        screen.rest()
        assert screen.process.wait(30) == 0
    assert "Go on?" not in screen.seen
    assert "/20" in screen.seen
    assert "passed" in screen.seen
    assert "p50 " in screen.seen
    assert "1/20 p0" not in screen.seen
