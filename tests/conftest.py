"""Fixtures that every test may use live in `tests/services`, one module a service."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

pytest_plugins = [
    "tests.services.patience",
    "tests.services.postgres",
    "tests.services.databases",
    "tests.services.stack",
]
