"""The machine: two cores to pin to, room for file descriptors, the tools that must be there."""

import os
import resource
import shutil
import sys
from pathlib import Path

from msgspec import Struct

FILES_WANTED = 16_384


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
    """The processor, for the head of the report."""
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return f"{os.cpu_count()} × {line.partition(':')[2].strip()}"
    return f"{os.cpu_count()} cores"
