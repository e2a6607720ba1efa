"""Name resolution with bounds."""

import asyncio
import socket

import pytest

from ownkey.gateway.net.resolver import SystemResolver


def resolver(**changes: float) -> SystemResolver:
    return SystemResolver(threads=2, cache_seconds=changes.get("cache", 60), cache_entries=2)


async def test_name_of_this_machine_resolves_to_loopback() -> None:
    system = resolver()
    addresses = await system("localhost", 80)
    assert set(addresses) <= {"127.0.0.1", "::1"}
    assert addresses
    system.close()


async def test_unknown_name_raises_and_is_asked_again() -> None:
    system = resolver()
    for _ in range(2):
        with pytest.raises(socket.gaierror):
            await system(f"{'x' * 64}.invalid", 80)
    system.close()


async def test_answers_are_kept_shared_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def lookup(host: str, port: int) -> tuple[str, ...]:
        asked.append(host)
        return (f"192.0.2.{len(asked)}",)

    monkeypatch.setattr("ownkey.gateway.net.resolver._resolve", lookup)
    system = resolver()
    together = await asyncio.gather(*(system("a", 80) for _ in range(10)))
    assert together == [("192.0.2.1",)] * 10
    assert await system("a", 80) == ("192.0.2.1",)
    assert asked == ["a"]
    await system("b", 80)
    await system("c", 80)
    assert await system("a", 80) == ("192.0.2.4",)
    system.close()


async def test_answer_is_forgotten_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("ownkey.gateway.net.resolver._resolve", lambda host, port: asked.append(host) or ("192.0.2.1",))
    system = resolver(cache=0)
    await system("a", 80)
    await system("a", 80)
    assert asked == ["a", "a"]
    system.close()


async def test_caller_that_gives_up_does_not_cancel_the_look_up_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    started, finish = asyncio.Event(), asyncio.Event()

    def lookup(host: str, port: int) -> tuple[str, ...]:
        loop.call_soon_threadsafe(started.set)
        asyncio.run_coroutine_threadsafe(finish.wait(), loop).result(10)
        return ("192.0.2.1",)

    monkeypatch.setattr("ownkey.gateway.net.resolver._resolve", lookup)
    system = resolver()
    impatient = asyncio.create_task(system("a", 80))
    patient = asyncio.create_task(system("a", 80))
    await started.wait()
    impatient.cancel()
    finish.set()
    assert await patient == ("192.0.2.1",)
    assert impatient.cancelled()
    system.close()
