"""Users of the worker's stack. Each costs argon2 computations, so tests share users where they can."""

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
def make_user(stack: Stack, operator: httpx2.Client) -> Iterator[Callable[[str], User]]:
    """Makes a user as `stack.user` does, but without signing the operator in each time."""
    made: list[User] = []

    def make(name: str) -> User:
        email = f"{unique(name)}@example.com"
        account = operator.post("/admin/users", json={"email": email, "password": PASSWORD}).json()
        with browser(stack, email) as session:
            key = session.post("/api-keys", json={"name": "all", "scopes": ["gateway", "manage"]}).json()["key"]
        made.append(User(stack, account["id"], email, key))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture(scope="module")
def user(make_user: Callable[[str], User]) -> User:
    """A user for the tests of one module, which leave account, preferences and key tests alone."""
    return make_user("user")


@pytest.fixture(scope="module")
def stranger(make_user: Callable[[str], User]) -> User:
    """Somebody else."""
    return make_user("stranger")


@pytest.fixture
def newcomer(make_user: Callable[[str], User]) -> Callable[[], User]:
    """Makes users for one test alone."""
    return lambda: make_user("newcomer")


@pytest.fixture
def tester(make_user: Callable[[str], User]) -> User:
    """A user who has not tested a key yet."""
    return make_user("tester")
