"""The machine: two cores to pin to, room for file descriptors, the tools that must be there, CPU time and memory as
Linux counts them under /proc."""

import os
import platform
import resource
import shutil
import sys
from pathlib import Path

from msgspec import Struct

FILES_WANTED = 16_384
_TICK = 1 / os.sysconf("SC_CLK_TCK")
_MEBIBYTE = 1024.0
_IDLE_COLUMNS = (4, 5)


class Cores(Struct, frozen=True):
    """The server under test has `tested` to itself; its upstream and the load generator share `other`."""

    tested: int
    other: int

    @property
    def separate(self) -> bool:
        return self.tested != self.other


def choose_cores() -> Cores:
    """The first two cores this process may use; the same one twice where there is only one."""
    allowed = sorted(os.sched_getaffinity(0))
    return Cores(allowed[0], allowed[min(1, len(allowed) - 1)])


def raise_file_limit() -> int:
    """Let this process and its children open more files; how many they may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_WANTED if hard == resource.RLIM_INFINITY else min(hard, FILES_WANTED)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return soft


def missing_tools() -> str | None:
    """What to do before the bench can run, or None."""
    if sys.platform != "linux":
        return "The bench reads /proc and pins processes to cores: it runs on Linux only."
    packages = {"nginx": "nginx-light", "wrk": "wrk", "taskset": "util-linux"}
    # Debian keeps nginx where only root's PATH looks.
    missing = [package for tool, package in packages.items() if find_tool(tool) is None]
    if missing:
        return f"Missing tools: apt-get install {' '.join(missing)}"
    if not ownkey_command().exists():
        return f"{ownkey_command()} does not exist: run `make setup` first."
    return None


def find_tool(name: str) -> str | None:
    """The path of an installed program."""
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def ownkey_command() -> Path:
    """Ownkey's own command, in the environment this runs in."""
    return Path(sys.executable).with_name("ownkey")


def describe() -> str:
    """The machine, for the head of the report: processor, memory, kernel, interpreter."""
    processor = _line("/proc/cpuinfo", "model name") or platform.machine()
    memory = int((_line("/proc/meminfo", "MemTotal") or "0 kB").split()[0]) / _MEBIBYTE**2
    return (
        f"{os.cpu_count()} × {processor}, {memory:.0f} GiB; Linux {platform.release()}; "
        f"{platform.python_implementation()} {platform.python_version()}"
    )


def _line(path: str, name: str) -> str | None:
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        if line.startswith(name):
            return line.partition(":")[2].strip()
    return None


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


def descendants(pid: int) -> tuple[int, ...]:
    """The children of a process, theirs, and so on."""
    found: tuple[int, ...] = ()
    for child in children(pid):
        found += (child, *descendants(child))
    return found
