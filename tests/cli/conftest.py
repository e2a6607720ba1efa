"""A user of the worker's stack for the commands' tests."""

import pytest
from tests.services.stack import Stack, User


@pytest.fixture(scope="module")
def user(request: pytest.FixtureRequest, stack: Stack) -> User:
    """A user for the tests of one module."""
    return stack.user(request.module.__name__.rpartition(".")[2].replace("_", "-"))
