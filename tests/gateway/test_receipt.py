"""Headers of the receipt carry any text and never a second line."""

import pytest
from tests.domain.values import a_key, plan_for

from ownkey.domain.errors import InvalidRequest, NoHealthyCredential, RateLimited
from ownkey.domain.formats import WireFormat
from ownkey.gateway.receipt import cost_headers, receipt_headers
from ownkey.gateway.refusals import passed_headers, render_error

CHAT, MESSAGES = WireFormat.OPENAI_CHAT, WireFormat.ANTHROPIC_MESSAGES


@pytest.mark.parametrize(
    ("format_", "name"),
    [(CHAT, b"x-request-id"), (MESSAGES, b"request-id"), (WireFormat.OPENAI_EMBEDDINGS, b"x-request-id")],
)
def test_the_sdks_find_a_request_id(format_: WireFormat, name: bytes) -> None:
    ours = dict(receipt_headers(format_, "req_1", None, 0))
    assert ours == {b"x-ownkey-request-id": b"req_1", b"x-ownkey-attempts": b"0", name: b"req_1"}
    passed = receipt_headers(format_, "req_1", None, 2, [(name, b"theirs")])
    assert [value for field, value in passed if field == name] == [b"theirs"]
    assert (b"x-ownkey-request-id", b"req_1") in passed


@pytest.mark.parametrize(
    ("model", "shown"),
    [
        ("gpt-5-mini", b"gpt-5-mini"),
        ("a b/c:d@e", b"a b/c:d@e"),
        ("éü", b"%C3%A9%C3%BC"),
        ("100%", b"100%25"),
        ('say "hi"', b"say %22hi%22"),
        ("line\r\nx-evil: 1", b"line%0D%0Ax-evil: 1"),
        ("\x00\x7f\u2028", b"%00%7F%E2%80%A8"),
    ],
)
def test_a_name_of_others_cannot_leave_its_header(model: str, shown: bytes) -> None:
    plan = plan_for(a_key("mine", model=model), model=f"maker/{model}")
    headers = dict(receipt_headers(CHAT, "req_1", plan.attempts[0], 1))
    assert headers[b"x-ownkey-model"] == shown
    assert headers[b"x-ownkey-provider"] == b"maker"
    assert headers[b"x-ownkey-credential"] == b"mine"
    assert headers[b"x-ownkey-payer"] == b"user"


def test_costs_are_decimals_in_dollars() -> None:
    assert [value for _, value in cost_headers(165_000, 2_500_000_000)] == [b"0.000165", b"2.5"]


def test_only_what_means_something_to_a_client_passes() -> None:
    fields = [
        (b"content-type", b"a"),
        (b"x-ratelimit-limit-tokens", b"b"),
        (b"anthropic-ratelimit-requests-reset", b"c"),
        (b"retry-after", b"d"),
        (b"set-cookie", b"e"),
        (b"server", b"f"),
        (b"x-ownkey-payer", b"g"),
        (b"location", b"h"),
        (b"content-length", b"5"),
        (b"transfer-encoding", b"chunked"),
    ]
    assert b"".join(value for _, value in passed_headers(fields)) == b"abcd"


def test_waits_are_whole_seconds_rounded_up() -> None:
    for wait, told in ((0.01, b"1"), (1.2, b"2"), (60.0, b"60")):
        headers, _ = render_error(CHAT, RateLimited("wait", retry_after=wait), "req_1")
        assert dict(headers)[b"retry-after"] == told


def test_the_sdks_do_not_repeat_what_only_a_person_can_mend() -> None:
    headers, _ = render_error(MESSAGES, NoHealthyCredential("add a key"), "req_1")
    assert dict(headers)[b"x-should-retry"] == b"false"
    headers, _ = render_error(MESSAGES, InvalidRequest("wrong"), "req_1")
    assert b"x-should-retry" not in dict(headers)


def test_an_error_without_a_request_gets_an_id_of_its_own() -> None:
    headers, body = render_error(MESSAGES, InvalidRequest("wrong"))
    number = dict(headers)[b"request-id"]
    assert number.startswith(b"req_")
    assert number in body
