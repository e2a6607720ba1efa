"""Suites that would hurt: each is refused at its place, and the session goes on as if nothing had been sent."""

import gzip
import json
import socket
from collections.abc import Iterator
from typing import Any

import httpx2
import psutil
import pytest
from tests.control.people import is_problem
from tests.control.visitors import Visitor, visitor
from tests.services.stack import Stack, User

_MB = 1024 * 1024
_BOMB = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c [%b]\n" % (new, new, b",".join([b"*%c" % old] * 9))
    for old, new in zip(b"abcdefgh", b"bcdefghi", strict=True)
)
_SCRIPT = b"""\
prompts: ["{{q}}"]
tests:
  - vars: {q: one}
    assert:
      - type: %b
        value: output.length > 1
"""

_FORM = "multipart/form-data; boundary=b"
_PART = b"--b\r\ncontent-disposition: form-data; %b\r\n\r\n"


@pytest.fixture
def guest(stack: Stack) -> Iterator[Visitor]:
    with visitor(stack) as made:
        made.begin()
        yield made


def upload(guest: Visitor, data: Any, filename: str = "own.csv", **params: str) -> httpx2.Response:
    return guest.api.post("/suites", params={"filename": filename} | params, content=data)


def works_on(guest: Visitor) -> None:
    """Nothing was stored, and a run is made as before."""
    listed = guest.api.get("/suites").json()["items"]
    assert [suite["id"] for suite in listed if not suite["curated"]] == []
    ended = guest.finished(guest.run(limit=1)["id"])
    assert (ended["status"], ended["progress"]["done"]) == ("completed", 1)


@pytest.mark.parametrize(
    ("filename", "data", "line", "words"),
    [
        ("own.csv", b"", None, "empty"),
        ("own.csv", b" \n\t\n", None, "empty"),
        ("own.yaml", _BOMB, 6, "aliases"),
        ("own.yaml", _SCRIPT % b"javascript", 5, "javascript"),
        ("own.yaml", _SCRIPT % b"python", 5, "python"),
        ("own.yaml", b"tests: !!python/object/apply:os.system ['true']\n", 1, "python/object/apply"),
        ("own.csv", b"prompt\n" + b"," * 10_000, 2, "200"),
        ("own.csv", ",".join(f"c{n}" for n in range(10_000)).encode() + b"\n1\n", 1, "200"),
        ("own.csv", b"prompt\nGr\xfc\xdfe\n", 2, "UTF-8"),
        ("own.csv", "prompt\nhello\n".encode("utf-16-le"), 1, "NUL"),
        ("own.csv", gzip.compress(b"prompt\nhello\n"), 0, "gzip"),
        ("own.jsonl", b'{"prompt": "a", "id": "x"}\n{"prompt": "b", "id": "x"}\n', 2, "taken"),
        ("own.jsonl", b'{"prompt": "a"}\n{"prompt": \n', 2, ""),
        ("own.jsonl", b'{"prompt": "%b"}\n' % (b"a" * 21_000), 1, "20,000"),
        ("own.jsonl", b'{"prompt": "a"}\n' * 101, 101, "100"),
        ("own.json", b"[" * 100_000, 1, ""),
        ("own.txt", b"just some words", 0, "format"),
    ],
    ids=[
        "empty", "blank", "YAML bomb", "JavaScript", "Python", "YAML tag", "10,000 cells", "10,000 columns", "Latin-1",
        "UTF-16", "gzip", "id twice", "cut JSON", "long prompt", "too many", "deep JSON", "no format",
    ],
)  # fmt: skip
def test_a_bad_suite_is_refused_at_its_line_and_the_session_goes_on(
    guest: Visitor, filename: str, data: bytes, line: int | None, words: str
) -> None:
    found = is_problem(upload(guest, data, filename), 400, "invalid_request")
    assert words in found["detail"]
    if line is not None:
        first = found["errors"][0]
        assert (first["line"], words in first["message"]) == (line, True), found
    works_on(guest)


def test_every_fault_of_a_file_is_told_and_not_the_first_alone(guest: Visitor) -> None:
    found = is_problem(
        upload(guest, b'{"prompt": ""}\nno json\n{"prompt": "ok"}\n[1]\n', "own.jsonl"), 400, "invalid_request"
    )
    assert [each["line"] for each in found["errors"]] == [1, 2, 4]


def test_two_hundred_megabytes_are_refused_and_take_no_memory(stack: Stack, guest: Visitor) -> None:
    server = psutil.Process(stack.ownkey.popen.pid)
    before = server.memory_info().rss
    pieces = (b"x" * _MB for _ in range(200))
    is_problem(guest.api.post("/suites?filename=own.csv", content=pieces), 413, "request_too_large")
    assert server.memory_info().rss - before < 48 * _MB
    works_on(guest)


def test_an_announced_length_is_refused_before_the_body_is_sent(stack: Stack, guest: Visitor) -> None:
    address = stack.url.removeprefix("http://").split(":")
    head = (
        "POST /api/v1/workbench/suites?filename=own.csv HTTP/1.1\r\nhost: localhost\r\n"
        f"authorization: {guest.api.headers['authorization']}\r\ncontent-length: {200 * _MB}\r\n\r\n"
    )
    with socket.create_connection((address[0], int(address[1])), timeout=20) as connection:
        connection.sendall(head.encode())
        assert b" 413 " in connection.recv(4096).partition(b"\r\n")[0]
    works_on(guest)


def test_a_form_may_not_carry_more_than_a_body(guest: Visitor) -> None:
    answer = guest.api.post("/suites", files={"file": ("own.csv", b"prompt\n" + b"x" * (2 * _MB))})
    found = is_problem(answer, 413, "request_too_large")
    assert "sign in" in found["detail"]
    works_on(guest)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (_FORM, _PART % b'name="other"' + b"x\r\n--b--\r\n"),
        (_FORM, b"--wrong\r\n\r\nx\r\n--wrong--\r\n"),
        (_FORM, _PART % b'name="file"; filename="a.csv"' + b"x"),
        ("multipart/form-data", b"--b\r\n\r\nx\r\n--b--\r\n"),
        ("multipart/form-data; boundary=" + "b" * 300, b"--b"),
        (_FORM, _PART % b'name="file"' + b"prompt\r\n--b--\r\n"),
    ],
    ids=["no file", "broken boundary", "cut", "no boundary", "long boundary", "a field for a file"],
)  # fmt: skip
def test_a_broken_form_is_refused_and_says_what_is_expected(guest: Visitor, content_type: str, body: bytes) -> None:
    answer = guest.api.post("/suites", content=body, headers={"content-type": content_type})
    found = is_problem(answer, 400, "invalid_request")
    assert "file" in found["detail"]
    works_on(guest)


def test_of_several_files_none_is_taken(guest: Visitor) -> None:
    files = [("file", ("a.csv", b"prompt\na\n")), ("file", ("b.csv", b"prompt\nb\n"))]
    found = is_problem(guest.api.post("/suites", files=files), 400, "invalid_request")
    assert "one file" in found["detail"]
    works_on(guest)


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ("prompt:gold", "gold"),
        ("question:prompt", "prompt"),
        ("prompt", "prompt:question"),
        ("prompt:", "prompt:question"),
    ],
)
def test_a_wrong_mapping_is_refused_by_its_name(guest: Visitor, mapping: str, words: str) -> None:
    found = is_problem(upload(guest, b"question\nwhy?\n", mapping=mapping), 400, "invalid_request")
    assert words in found["detail"]
    works_on(guest)


def test_the_content_type_of_a_file_does_not_matter_and_a_form_is_read(guest: Visitor) -> None:
    sent = guest.api.post("/suites", files={"file": ("own.csv", b"prompt\nwhy?\n", "application/x-unknown")})
    assert sent.status_code == 201, sent.text
    sent = guest.api.post("/suites?filename=own.csv", content=b"prompt\nwhy?\n", headers={"content-type": "image/png"})
    assert sent.status_code == 201, sent.text


def test_formulas_are_text_on_the_way_in_and_harmless_on_the_way_out(guest: Visitor) -> None:
    cells = ["=1+1", "+cmd|' /C calc'!A0", "@SUM(1)", "-2", '=HYPERLINK("http://x";"y")']
    rows = "\n".join('"' + cell.replace('"', '""') + '"' for cell in cells)
    sent = upload(guest, f"prompt\n{rows}\n".encode())
    assert sent.status_code == 201, sent.text
    run = guest.finished(guest.run(sent.json()["id"])["id"])
    assert [result["answer"] for result in sorted(run["results"], key=lambda each: each["position"])] == cells
    table = guest.api.get(f"/runs/{run['id']}/export", params={"format": "csv"}).text
    assert not any(cell.startswith(("=", "+", "@")) for row in table.splitlines() for cell in row.split(","))


def test_a_regex_that_would_explode_is_refused_or_harmless(guest: Visitor) -> None:
    hostile = "a" * 5000 + "!"
    lines = [
        {"vars": {"q": hostile}, "assert": [{"type": "regex", "value": pattern}]}
        for pattern in (r"^(a+)+$", r"(a|a)*b", r"(.*a){20}$", r"^(([a-z])+.)+[A-Z]([a-z])+$")
    ]
    data = "\n".join(json.dumps(line) for line in lines).encode()
    sent = upload(guest, data, "own.jsonl", format="promptfoo-jsonl", template="{{q}}")
    assert sent.status_code == 201, sent.text
    run = guest.finished(guest.run(sent.json()["id"])["id"])
    assert [result["passed"] for result in run["results"]] == [False] * 4
    for pattern in (r"(a)\1", "(?=a)b", "(" * 2000, "a{100000}"):
        data = json.dumps({"vars": {"q": "x"}, "assert": [{"type": "regex", "value": pattern}]}).encode()
        found = is_problem(
            upload(guest, data, "own.jsonl", format="promptfoo-jsonl", template="{{q}}"), 400, "invalid_request"
        )
        assert found["errors"][0]["line"] == 1


def test_uploads_are_counted_by_the_minute(guest: Visitor) -> None:
    for _ in range(10):
        is_problem(upload(guest, b""), 400, "invalid_request")
    found = is_problem(upload(guest, b"prompt\nwhy?\n"), 429, "rate_limited")
    assert "per minute" in found["detail"]


def test_a_visitor_has_room_for_five_suites(guest: Visitor) -> None:
    for _ in range(5):
        assert upload(guest, b"prompt\nwhy?\n").status_code == 201
    found = is_problem(upload(guest, b"prompt\nwhy?\n"), 400, "invalid_request")
    assert "delete one" in found["detail"]


def test_without_a_session_nothing_is_uploaded(stack: Stack) -> None:
    with visitor(stack) as nobody:
        is_problem(upload(nobody, b"prompt\nwhy?\n"), 401, "invalid_api_key")
        nobody.api.headers["authorization"] = "Bearer wb_" + "A" * 43
        is_problem(upload(nobody, b"prompt\nwhy?\n"), 404, "not_found")


def test_an_account_may_upload_larger_files_and_is_told_of_the_limit(user: User) -> None:
    def send(size: int) -> httpx2.Response:
        line = b'{"prompt": "%b"}\n' % (b"x" * 100_000)
        return user.api.post("/workbench/suites?filename=large.jsonl", content=line * (size // len(line)))

    made = send(5 * _MB)
    assert made.status_code == 201, made.text
    assert made.json()["prompts"] == 52
    is_problem(send(31 * _MB), 413, "request_too_large")
    assert user.api.delete(f"/workbench/suites/{made.json()['id']}").status_code == 204
