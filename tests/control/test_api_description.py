"""The API as its own description tells it, called with everything that description allows and much that it forbids."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.services.stack import Process, Stack

TAGS = (
    "account", "admin", "api-keys", "auth", "catalogue", "credentials", "operations", "preferences", "routes",
    "routing", "usage", "workbench",
)  # fmt: skip
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
EXAMPLES = 6


@pytest.fixture(scope="module")
def target(sandbox: Process, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A server of its own, for what random calls leave behind."""
    stack = Stack(tmp_path_factory.mktemp("described"), sandbox)
    yield stack
    assert stack.stop() == 0


@pytest.fixture(scope="module")
def key(target: Stack) -> str:
    with target.session() as operator:
        return operator.post("/api-keys", json={"name": "described", "scopes": ["manage"]}).json()["key"]


@pytest.fixture(scope="module")
def description(target: Stack) -> Any:
    return schemathesis.openapi.from_url(target.url + "/openapi.json")


def operations(description: Any, tag: str) -> list[Any]:
    found = (result.ok() for result in description.get_all_operations())
    return [operation for operation in found if operation.definition.raw["tags"] == [tag]]


def takes_anything(operation: Any) -> bool:
    """Whether a call can be wrong: an open one that takes a name in its path alone cannot."""
    raw = operation.definition.raw
    parameters = raw.get("parameters", [])
    if {} in raw["security"]:
        parameters = [each for each in parameters if each["in"] != "path"]
    return bool(parameters or raw.get("requestBody"))


def test_every_call_has_its_tag(description: Any) -> None:
    found = [result.ok().definition.raw["tags"] for result in description.get_all_operations()]
    assert {tag for tags in found for tag in tags} == set(TAGS)
    assert len(found) > 30


@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode))
@pytest.mark.parametrize("tag", TAGS)
def test_no_call_fails_inside_and_answers_are_as_described(
    target: Stack, description: Any, key: str, tag: str, mode: schemathesis.GenerationMode
) -> None:
    with requests.Session() as session:
        session.trust_env = False
        for operation in operations(description, tag):
            if mode is schemathesis.GenerationMode.NEGATIVE and not takes_anything(operation):
                continue
            strategy = operation.as_strategy(generation_mode=mode)

            @settings(
                max_examples=EXAMPLES, deadline=None, database=None, derandomize=True,
                suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
            )  # fmt: skip
            @given(case=strategy, signed_in=st.booleans())
            def call(case: Any, signed_in: bool) -> None:
                headers = {"authorization": f"Bearer {key}"} if signed_in else {}
                case.call_and_validate(session=session, headers=headers, checks=CHECKS)

            call()
    assert "unexpected error" not in target.ownkey.read_log()
