"""Requests and costs, by hand."""

import json

from ownkey.workbench.endpoint.answer import cost_of
from ownkey.workbench.endpoint.request import chat_body, folded
from ownkey.workbench.records import Abilities, Message, Prices, Sampling, Tokens

SYSTEM, USER, ASSISTANT = Message("system", "s"), Message("user", "u"), Message("assistant", "a")


def test_the_system_role_is_folded_into_the_first_user_turn() -> None:
    assert folded([SYSTEM, USER, ASSISTANT, USER]) == [Message("user", "s\n\nu"), ASSISTANT, USER]
    assert folded([SYSTEM, Message("system", "t"), USER]) == [Message("user", "s\n\nt\n\nu")]
    assert folded([SYSTEM]) == [Message("user", "s")]
    assert folded([SYSTEM, ASSISTANT]) == [Message("user", "s"), ASSISTANT]
    assert folded([USER]) == [USER]


def test_extras_are_sent_as_they_are() -> None:
    body = json.loads(
        chat_body("m", [USER], Sampling(stream=False), Abilities(), {"response_format": {"type": "text"}})
    )
    assert body["response_format"] == {"type": "text"}
    assert "stream" not in body
    assert "stream_options" not in body


def test_cost_is_rounded_up_to_a_whole_nano_dollar() -> None:
    assert cost_of(Tokens(1, 1), Prices(input=1, output=0, source="user")) == 1
    assert cost_of(Tokens(0, 0), Prices(input=1, output=1, source="user")) == 0
    assert cost_of(Tokens(1_000_000, 2_000_000), Prices(150, 600, "user")) == 1350
    assert cost_of(None, Prices(1, 1, "user")) is None
    assert cost_of(Tokens(1, 1), None) is None
