"""Users of the worker's stack. `stack.user` takes three argon2 computations, so tests share users where they can."""

from collections.abc import Callable, Iterator

import httpx2
import pytest

from tests.control.people import unique
from tests.services.stack import Stack, User


@pytest.fixture(scope="session")
def operator(stack: Stack) -> Iterator[httpx2.Client]:
    """The operator's browser."""
    with stack.session() as client:
        yield client


@pytest.fixture(scope="module")
def user(stack: Stack) -> User:
    """A user for the tests of one module, which leave account, preferences and key tests alone."""
    return stack.user(unique("user"))


@pytest.fixture(scope="module")
def stranger(stack: Stack) -> User:
    """Somebody else."""
    return stack.user(unique("stranger"))


@pytest.fixture
def newcomer(stack: Stack) -> Callable[[], User]:
    """Makes users for one test alone."""
    return lambda: stack.user(unique("newcomer"))
