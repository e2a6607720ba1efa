"""Recorded streams, one folder for each format."""

from pathlib import Path

import pytest

RECORDINGS = sorted((Path(__file__).parent / "recordings").glob("*/*.sse"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes `recording` once for every recorded stream."""
    if "recording" in metafunc.fixturenames:
        names = [f"{path.parent.name}/{path.stem}" for path in RECORDINGS]
        metafunc.parametrize("recording", RECORDINGS, ids=names)
