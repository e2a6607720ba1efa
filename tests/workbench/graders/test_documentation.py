"""docs/graders.md names every check type, and the package costs nothing before it is used."""

import re
import subprocess
import sys
from pathlib import Path

from ownkey.workbench.graders import CHECK_TYPES

GUIDE = Path(__file__).parents[3] / "docs" / "graders.md"


def test_every_check_type_has_a_heading_in_the_guide_and_nothing_else_has() -> None:
    headings = re.findall(r"^### (.*`.*)$", GUIDE.read_text("utf-8"), re.MULTILINE)
    named = [name for heading in headings for name in re.findall(r"`([^`]+)`", heading)]
    assert sorted(named) == sorted(CHECK_TYPES)


def test_importing_the_graders_loads_no_engine() -> None:
    code = (
        "import sys, ownkey.workbench.graders as g\n"
        "print(g.validate_check(g.kinds.Check('contains', 'x')))\n"
        "print(sorted({'re2', 'jsonschema_rs', 'numpy'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.split("\n")[:2] == ["None", "[]"]
