"""The master key rotates in another process while calls flow and accounts are made: nothing fails, all still opens."""

import asyncio
import itertools
import json
import shutil
import sqlite3
from contextlib import closing
from typing import Any

import httpx2
from tests.proof.load import Question, chat, message, running
from tests.proof.servers import Command, ForkedStack
from tests.services.stack import OPERATOR, User

ROTATIONS = 2


async def admin(stack: ForkedStack, *arguments: str) -> tuple[int, str]:
    """Run an `ownkey admin` command on the stack's data directory; its status and output."""
    command = Command("admin", *arguments, "--data-dir", str(stack.data_dir))
    status = await asyncio.to_thread(command.wait)
    return status, command.output.text


async def rotate(stack: ForkedStack) -> dict[str, Any]:
    status, text = await admin(stack, "rotate-master-key", "--json")
    assert status == 0, text
    return json.loads(text)


async def make_accounts(stack: ForkedStack, stop: asyncio.Event) -> list[tuple[str, str]]:
    """New users with a new provider key each, one after the other; (API key, marker of the provider key)."""
    made: list[tuple[str, str]] = []
    async with httpx2.AsyncClient(base_url=stack.url + "/api/v1", timeout=30.0, trust_env=False) as operator:
        login = {"email": OPERATOR[0], "password": OPERATOR[1]}
        assert (await operator.post("/auth/login", json=login)).is_success
        for number in itertools.count():
            if stop.is_set():
                return made
            account = {"email": f"new-{number}@example.com", "password": "a fine long password"}
            assert (await operator.post("/admin/users", json=account)).status_code == 201
            async with httpx2.AsyncClient(base_url=stack.url + "/api/v1", timeout=30.0, trust_env=False) as user:
                answer = await user.post("/auth/login", json=account)
                assert answer.is_success, answer.text
                body = {"name": "all", "scopes": ["gateway", "manage"]}
                key = (await user.post("/api-keys", json=body)).json()["key"]
                stored = {"provider": "openai", "api_key": f"sk-test-rotated-{number}", "test": False}
                answer = await user.post("/credentials", json=stored)
                assert answer.status_code == 201, answer.text
            made.append((key, f"sk-test-rotated-{number}"))
    raise AssertionError("unreachable")


async def test_no_call_fails_while_the_master_key_rotates(forked: ForkedStack) -> None:
    user = forked.user("rotating", openai="sk-test-rotating", anthropic="sk-ant-test-rotating")
    mix = [chat("openai/echo"), message("anthropic/lorem-10", stream=True), chat("anthropic/echo")]
    stop = asyncio.Event()
    primaries: list[str] = []
    async with running(forked.url, user.key, [mix] * 6) as load:
        accounts = asyncio.create_task(make_accounts(forked, stop))
        for _ in range(ROTATIONS):
            known = len(load.calls)
            primaries.append((await rotate(forked))["primary"])
            await load.until(lambda calls, known=known: len(calls) > known + 20)
        stop.set()
        made = await accounts
    assert [call for call in load.calls if call.status != 200 or not call.whole] == []
    assert len(set(primaries)) == ROTATIONS
    assert made, "accounts were made meanwhile"
    await _everything_opens(forked, user, made)
    # A new process knows nothing but what is stored.
    assert forked.stop() == 0, forked.server.log
    forked.start()
    await _everything_opens(forked, user, made)
    assert "rejected by the vault" not in forked.server.log


async def _everything_opens(stack: ForkedStack, user: User, made: list[tuple[str, str]]) -> None:
    questions = [chat("openai/echo"), message("anthropic/echo")]
    for key, questions_of in [(user.key, questions), *((key, questions[:1]) for key, _ in made)]:
        for question in questions_of:
            answer = await _ask_once(stack, key, question)
            assert answer.status_code == 200, answer.text


async def _ask_once(stack: ForkedStack, key: str, question: Question) -> httpx2.Response:
    async with httpx2.AsyncClient(base_url=stack.url, timeout=30.0, trust_env=False) as client:
        return await client.post(question.path, json=question.body, headers={"authorization": f"Bearer {key}"})


async def test_a_retired_master_key_is_forgotten_by_name_and_not_too_early(forked: ForkedStack) -> None:
    user = forked.user("forgetting", openai="sk-test-forgetting")
    path = forked.data_dir / "master.key"
    first = next(line.split()[1] for line in path.read_text().splitlines() if line.startswith("primary"))
    report = await rotate(forked)
    assert report["retired"] == [first]
    backup = path.with_name("master.key.before")
    shutil.copy2(path, backup)
    status, text = await admin(forked, "forget-master-key", first)
    assert (status, "less than an hour ago" in text) == (1, True), text
    status, text = await admin(forked, "forget-master-key", report["primary"])
    assert (status, "in use" in text) == (1, True), text
    assert path.read_bytes() == backup.read_bytes()
    _retire_earlier(forked, first)
    status, text = await admin(forked, "forget-master-key", first, "--json")
    assert status == 0, text
    assert json.loads(text)["forgotten"] == first
    assert first not in path.read_text()
    assert user.chat("openai/echo").status_code == 200
    assert forked.stop() == 0
    forked.start()
    assert (await _ask_once(forked, user.key, chat("openai/echo"))).status_code == 200


def _retire_earlier(stack: ForkedStack, key_id: str) -> None:
    """Turn the clock of a retirement back by two hours."""
    path = stack.data_dir / "master.key"
    lines = path.read_text().splitlines(keepends=True)
    for number, line in enumerate(lines):
        if line.startswith(f"retired {key_id} "):
            words = line.split()
            lines[number] = " ".join([*words[:3], str(int(words[3]) - 7200)]) + "\n"
    path.write_text("".join(lines))


async def test_the_doctor_opens_every_data_key(forked: ForkedStack) -> None:
    forked.user("examined", openai="sk-test-examined")
    assert forked.stop() == 0
    assert (await _examined(forked))["success"]
    _damage_a_data_key(forked)
    report = await _examined(forked)
    assert not report["success"]
    assert "1 data keys do not open" in str(report["steps"])


async def _examined(stack: ForkedStack) -> dict[str, Any]:
    command = Command("doctor", "--json", "--data-dir", str(stack.data_dir))
    status = await asyncio.to_thread(command.wait)
    report = json.loads(command.output.text)
    assert status == (0 if report["success"] else 1)
    return report


def _damage_a_data_key(stack: ForkedStack) -> None:
    with closing(sqlite3.connect(stack.data_dir / "ownkey.db")) as database, database:
        [(key_id, wrapped)] = database.execute("SELECT id, wrapped FROM data_keys LIMIT 1").fetchall()
        database.execute(
            "UPDATE data_keys SET wrapped = ? WHERE id = ?", (wrapped[:-1] + bytes([wrapped[-1] ^ 1]), key_id)
        )
