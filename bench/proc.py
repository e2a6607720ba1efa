"""CPU time and memory as Linux counts them, under /proc."""

import os
from pathlib import Path

_TICK = 1 / os.sysconf("SC_CLK_TCK")
_MEBIBYTE = 1024.0
_IDLE_COLUMNS = (4, 5)


def cpu_seconds(pids: tuple[int, ...]) -> float:
    """User and kernel time of these processes so far, in seconds, to a hundredth."""
    total = 0
    for pid in pids:
        # The name, in parentheses, may hold blanks; utime and stime are the 14th and 15th fields.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total * _TICK


def memory_mb(pids: tuple[int, ...]) -> float:
    """Resident memory of these processes, in MiB."""
    total = 0
    for pid in pids:
        for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmRSS:"):
                total += int(line.split()[1])
    return total / _MEBIBYTE


def core_seconds(core: int) -> float:
    """How long a core has worked so far, for whomever, in seconds."""
    for line in Path("/proc/stat").read_text(encoding="utf-8").splitlines():
        fields = line.split()
        if fields[0] == f"cpu{core}":
            # guest times (the last two) are counted in user times already.
            worked = (int(value) for column, value in enumerate(fields[1:9], 1) if column not in _IDLE_COLUMNS)
            return sum(worked) * _TICK
    return 0.0


def children(pid: int) -> tuple[int, ...]:
    """The direct children of a process."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8")
    return tuple(int(word) for word in text.split())
