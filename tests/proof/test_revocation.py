"""What is revoked stops working within a second, under load, also in other processes than the one that was told."""

import itertools
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import httpx2
import pytest
from tests.proof.load import Call, Load, Question, chat, running
from tests.proof.servers import TwoWorkers
from tests.services.stack import OPERATOR, Stack, User

LOOPS = 20
LATEST = 1.0
"""Seconds after the answer to the revocation, on a machine that has time for its processes."""
ME = Question("me", "/api/v1/me", {}, method="GET")
names = (f"revoked-{number}" for number in itertools.count())


@pytest.fixture(params=["one process", "two workers"])
def served(request: pytest.FixtureRequest) -> Stack:
    return request.getfixturevalue("stack" if request.param == "one process" else "two_workers")


@pytest.fixture
def user(served: Stack) -> User:
    return served.user(next(names), openai="sk-test-until-now")


async def delete_api_key(user: User, operator: httpx2.AsyncClient) -> httpx2.Response:
    api_key = user.api.get("/api-keys").json()["items"][0]["id"]
    # By another key, as one that deletes itself would end its own session first.
    body = {"name": "other", "scopes": ["manage"]}
    other = user.api.post("/api-keys", json=body).json()["key"]
    headers = {"authorization": f"Bearer {other}"}
    return await operator.delete(f"/api-keys/{api_key}", headers=headers)


async def disable_credential(user: User, operator: httpx2.AsyncClient) -> httpx2.Response:
    return user.api.patch(f"/credentials/{_credential(user)}", json={"enabled": False})


async def delete_credential(user: User, operator: httpx2.AsyncClient) -> httpx2.Response:
    return user.api.delete(f"/credentials/{_credential(user)}")


async def disable_user(user: User, operator: httpx2.AsyncClient) -> httpx2.Response:
    return await operator.patch(f"/admin/users/{user.id}", json={"disabled": True})


async def delete_user(user: User, operator: httpx2.AsyncClient) -> httpx2.Response:
    return await operator.delete(f"/admin/users/{user.id}")


def _credential(user: User) -> str:
    return user.api.get("/credentials").json()["items"][0]["id"]


Deed = Callable[[User, httpx2.AsyncClient], Awaitable[httpx2.Response]]


@pytest.mark.parametrize(
    ("revoke", "refusals"),
    [
        (delete_api_key, {401}),
        (disable_credential, {404, 503}),
        (delete_credential, {404, 503}),
        (disable_user, {401}),
        (delete_user, {401}),
    ],
)
async def test_calls_stop_within_a_second(
    served: Stack, user: User, revoke: Deed, refusals: set[int], record_testsuite_property: Callable[[str, float], None]
) -> None:
    questions = [chat("openai/echo", "revoke me"), chat("openai/echo", "and me", stream=True)]
    async with signed_in(served) as operator, running(served.url, user.key, [questions] * LOOPS) as load:
        await load.until(lambda calls: sum(call.status == 200 for call in calls) >= 2 * LOOPS)
        answer = await revoke(user, operator)
        revoked = time.monotonic()
        assert answer.is_success, answer.text
        await _refused_for_a_while(load, revoked)
    latest = _latest_success(load.calls, revoked)
    assert latest <= (_allowed(load.calls) if served.__class__ is TwoWorkers else 0.0)
    assert {call.status for call in load.calls if call.sent > revoked + _allowed(load.calls)} <= refusals
    record_testsuite_property(f"{revoke.__name__} on {served.__class__.__name__}: seconds", round(latest, 4))


async def test_signing_out_ends_a_session_within_a_second(served: Stack, user: User) -> None:
    async with signed_in(served, user.email, "a fine long password") as session:
        cookie = f"cookie: ownkey={session.cookies['ownkey']}\r\n"
        async with running(served.url, "", [[ME]] * LOOPS, header=cookie) as load:
            await load.until(lambda calls: sum(call.status == 200 for call in calls) >= 2 * LOOPS)
            assert (await session.post("/auth/logout")).status_code == 204
            revoked = time.monotonic()
            await _refused_for_a_while(load, revoked)
    assert _latest_success(load.calls, revoked) <= (_allowed(load.calls) if served.__class__ is TwoWorkers else 0.0)
    assert {call.status for call in load.calls if call.sent > revoked + _allowed(load.calls)} == {401}


@asynccontextmanager
async def signed_in(
    stack: Stack, email: str = OPERATOR[0], password: str = OPERATOR[1]
) -> AsyncGenerator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=stack.url + "/api/v1", timeout=30.0, trust_env=False) as client:
        answer = await client.post("/auth/login", json={"email": email, "password": password})
        assert answer.status_code == 200, answer.text
        yield client


async def _refused_for_a_while(load: Load, revoked: float) -> None:
    """Go on until calls that were sent well after the second have been answered."""
    await load.until(lambda calls: sum(call.sent > revoked + _allowed(calls) for call in calls) >= 2 * LOOPS)


def _allowed(calls: Sequence[Call]) -> float:
    """Seconds: where the processes wait for the machine, the slowest call shows for how long."""
    return LATEST + max(call.ended - call.sent for call in calls)


def _latest_success(calls: Sequence[Call], revoked: float) -> float:
    """How long after the revocation a call could still be sent that succeeded, in seconds."""
    return max((call.sent - revoked for call in calls if call.status == 200), default=0.0)
