"""What is deleted is gone: from answers at once, from the database's files to the last byte."""

from collections.abc import Callable

import httpx2
from tests.control.people import database, is_problem, unique
from tests.services.stack import Stack, User


def sealed(stack: Stack, credential_id: str) -> bytes:
    with database(stack) as tables:
        return tables.execute("SELECT sealed FROM credentials WHERE id = ?", (credential_id,)).fetchone()[0]


def in_files(stack: Stack, wanted: bytes) -> list[str]:
    """The database's files that hold these bytes, the write-ahead log included."""
    return [path.name for path in stack.data_dir.glob("ownkey.db*") if wanted in path.read_bytes()]


def test_a_deleted_key_works_no_more_and_its_ciphertext_is_gone(stack: Stack, newcomer: Callable[[], User]) -> None:
    person = newcomer()
    secret = f"sk-test-{unique('deleted')}-abcdefgh"
    stored = person.add_key("openai", secret)
    ciphertext = sealed(stack, stored["id"])
    assert person.chat("openai/echo").status_code == 200
    assert in_files(stack, ciphertext)
    assert person.api.delete(f"/credentials/{stored['id']}").status_code == 204
    assert in_files(stack, ciphertext) == []
    assert person.chat("openai/echo").status_code == 503
    is_problem(person.api.get(f"/credentials/{stored['id']}"), 404, "not_found")
    is_problem(person.api.delete(f"/credentials/{stored['id']}"), 404, "not_found")
    again = person.add_key("openai", secret)
    assert again["id"] != stored["id"]
    assert sealed(stack, again["id"]) != ciphertext


def test_a_replaced_key_leaves_no_ciphertext(stack: Stack, newcomer: Callable[[], User]) -> None:
    person = newcomer()
    stored = person.add_key("openai", f"sk-test-{unique('replaced')}-abcdefgh")
    before = sealed(stack, stored["id"])
    body = {"api_key": f"sk-test-{unique('new')}-abcdefgh", "test": False}
    assert person.api.patch(f"/credentials/{stored['id']}", json=body).status_code == 200
    assert in_files(stack, before) == []
    assert in_files(stack, sealed(stack, stored["id"]))


def test_a_deleted_user_leaves_no_ciphertext_and_no_name(
    stack: Stack, newcomer: Callable[[], User], operator: httpx2.Client
) -> None:
    person = newcomer()
    stored = person.add_key("openai", f"sk-test-{unique('gone')}-abcdefgh", label=unique("a telling label"))
    assert person.chat("openai/echo", "hello").status_code == 200
    ciphertext = sealed(stack, stored["id"])
    assert operator.delete(f"/admin/users/{person.id}").status_code == 204
    for trace in (ciphertext, person.email.encode(), stored["label"].encode()):
        assert in_files(stack, trace) == []
    is_problem(person.api.get("/me"), 401, "invalid_api_key")
    assert person.chat("openai/echo").status_code == 401


def test_no_secret_is_ever_in_the_files(stack: Stack, newcomer: Callable[[], User]) -> None:
    person = newcomer()
    secret = f"sk-test-{unique('plain')}-abcdefgh"
    person.add_key("openai", secret)
    person.api.post("/credentials", json={"provider": "anthropic", "api_key": secret})
    assert person.chat("openai/echo").status_code == 200
    person.api.get("/requests")
    files = [path for path in stack.data_dir.rglob("*") if path.is_file()]
    assert files
    for path in files:
        content = path.read_bytes()
        assert secret.encode() not in content, path
        assert person.key.encode() not in content, path
