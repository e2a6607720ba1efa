"""`SECURITY.md` names tests that exist, for every promise."""

import ast
import re

from tests.proof.servers import REPOSITORY

PAGE = (REPOSITORY / "SECURITY.md").read_text()
REFERENCE = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def _tests_in(path: str) -> set[str]:
    tree = ast.parse((REPOSITORY / path).read_text())
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, functions) and node.name.startswith("test_")}


def test_every_test_it_names_exists() -> None:
    named = REFERENCE.findall(PAGE)
    assert PAGE.count("::test_") == len(named), "a reference is misspelt"
    missing = [f"{path}::{name}" for path, name in named if name not in _tests_in(path)]
    assert missing == []


def test_every_promise_has_a_test() -> None:
    promises = re.split(r"^### ", PAGE.partition("## What is not promised")[0], flags=re.MULTILINE)[1:]
    assert [promise.split(".")[0] for promise in promises] == [str(number) for number in range(1, 10)]
    assert [promise.splitlines()[0] for promise in promises if not REFERENCE.search(promise)] == []
