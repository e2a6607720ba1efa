"""A real Chromium, one a module, and people who use the page with it."""

import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright
from tests.control.people import PASSWORD, unique
from tests.page.guests import Guest
from tests.services.stack import Stack, User

# However busy the machine is: what is expected comes, or the test says after a long while that it did not.
expect.set_options(timeout=45_000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    assert chromium is not None, "the page is tested in a browser: install Debian's chromium (make test does)"
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium)
        yield running
        running.close()


@pytest.fixture(scope="module")
def owner(stack: Stack) -> User:
    """Somebody with an account: sessions of accounts are as many as one likes."""
    return stack.user(unique("page-owner"))


@pytest.fixture(scope="module")
def cookie(stack: Stack, owner: User) -> str:
    """The owner's sign-in, made once."""
    with stack.session(owner.email, PASSWORD) as signed_in:
        return signed_in.cookies["ownkey"]


@pytest.fixture
def guest(browser: Browser, stack: Stack, cookie: str) -> Iterator[Guest]:
    """The owner at a fresh browser window."""
    with Guest.at(browser, stack.url, cookie) as made:
        yield made


@pytest.fixture
def stranger(browser: Browser, stack: Stack) -> Iterator[Guest]:
    """Somebody without an account. All come from one address, so each erases what they made."""
    with Guest.at(browser, stack.url) as made:
        yield made


@pytest.fixture
def guest_with(browser: Browser, stack: Stack) -> Iterator[Callable[..., Guest]]:
    """Makes somebody with an account of their own a window with a colour scheme, a size, …"""
    made: list[Guest] = []

    def make(**options: object) -> Guest:
        with stack.session(stack.user(unique("page-guest")).email, PASSWORD) as signed_in:
            cookie = signed_in.cookies["ownkey"]
        made.append(Guest(browser, stack.url, cookie, **options))
        return made[-1]

    yield make
    for each in made:
        each.leave()
