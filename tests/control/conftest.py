"""Users of the worker's stack. Each costs a few argon2 computations, so tests share users where they can."""

from collections.abc import Callable, Iterator

import httpx2
import pytest
from tests.control.people import PASSWORD, browser, unique
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
def newcomer(stack: Stack, operator: httpx2.Client) -> Iterator[Callable[[], User]]:
    """Makes users for one test alone, as `stack.user` does but without signing the operator in each time."""
    made: list[User] = []

    def make() -> User:
        email = f"{unique('newcomer')}@example.com"
        account = operator.post("/admin/users", json={"email": email, "password": PASSWORD}).json()
        with browser(stack, email) as session:
            key = session.post("/api-keys", json={"name": "all", "scopes": ["gateway", "manage"]}).json()["key"]
        made.append(User(stack, account["id"], email, key))
        return made[-1]

    yield make
    for each in made:
        each.close()
