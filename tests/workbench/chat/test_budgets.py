"""Turns that fit, and budgets from a model's window."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ownkey.workbench.chat import MINIMUM_CONTEXT, UNKNOWN_WINDOW, budgets, fit_history, narrower, shrink
from ownkey.workbench.chat.context import message_tokens
from ownkey.workbench.records import Message

TALK = tuple(Message("user" if at % 2 == 0 else "assistant", f"turn {at} " + "word " * 20) for at in range(9))


def test_a_conversation_that_fits_is_left_as_it_is() -> None:
    assert fit_history(TALK, 10_000) == TALK


def test_the_latest_turns_are_kept_and_the_first_of_them_is_the_users() -> None:
    kept = fit_history(TALK, 4 * message_tokens(TALK[0]))
    assert kept == TALK[6:]
    assert kept[0].role == "user"


def test_a_last_message_that_is_too_long_loses_its_middle() -> None:
    question = Message("user", "begin " + "x y " * 5000 + " end?")
    (kept,) = fit_history((*TALK, question), 100)
    assert kept.content.startswith("begin")
    assert kept.content.endswith("end?")
    assert "[…]" in kept.content
    assert message_tokens(kept) <= 100


def test_no_messages_are_no_messages() -> None:
    assert fit_history((), 100) == ()


@given(
    texts=st.lists(st.text(max_size=300), min_size=1, max_size=12),
    budget=st.integers(20, 600),
)
def test_whatever_is_said_it_fits_and_the_last_word_is_there(texts: list[str], budget: int) -> None:
    talk = [Message("assistant" if at % 2 else "user", text) for at, text in enumerate(texts)]
    kept = fit_history(talk, budget)
    assert sum(map(message_tokens, kept)) <= budget
    assert kept[-1].role == talk[-1].role
    assert tuple(talk[len(talk) - len(kept) : -1]) == kept[:-1]


def test_a_context_that_was_too_long_is_halved_down_to_the_least() -> None:
    tried = [6000]
    while (smaller := shrink(tried[-1])) is not None:
        tried.append(smaller)
    assert tried == [6000, 3000, 1500, 750, MINIMUM_CONTEXT]


def test_what_was_too_long_is_halved_in_all_its_shares() -> None:
    shares = [budgets()]
    while (smaller := narrower(shares[-1])) is not None:
        shares.append(smaller)
    assert [each.context for each in shares] == [3720, 1860, 930, MINIMUM_CONTEXT]
    assert [each.history for each in shares] == [1860, 930, 465, 232]
    assert [each.answer for each in shares] == [1024, 512, 256, 256]


@pytest.mark.parametrize("window", [None, 2048, 4096, 8192, 32_768, 1_000_000])
def test_the_shares_of_a_window_leave_room_for_a_fifth_of_error(window: int | None) -> None:
    share = budgets(window)
    size = window or UNKNOWN_WINDOW
    assert (share.context + share.history) * 1.25 + share.answer <= size
    assert share.context >= MINIMUM_CONTEXT
    assert share.history > 0
    assert share.answer <= 1024


def test_an_unknown_window_is_taken_for_eight_thousand_tokens() -> None:
    assert budgets() == budgets(8000)
