"""Figures of one answer, worked out by hand."""

from typing import Any

import pytest

from ownkey.workbench.metrics.outcomes import figures, hides_reasoning, meets
from ownkey.workbench.records import Objectives, Observation, Timing, Tokens


def seen(*, tokens: Tokens | None = None, streamed: bool = True, reasoning: str = "", **timing: Any) -> Observation:
    return Observation(
        timing=Timing(sent_at=0, ended_at=9, **timing),
        text="Grüße an alle",
        tokens=tokens,
        streamed=streamed,
        reasoning=reasoning,
        cost=1_250_000,
    )


def test_a_stream_with_reasoning_by_hand():
    # Sent at 0; reasoning delta at 120 ms, content at 300, 340, 420 and 660 ms; 10 tokens, 4 of them reasoning.
    observation = seen(
        tokens=Tokens(input=7, output=10, reasoning=4),
        reasoning="hm",
        ttft_ms=120,
        ttfo_ms=300,
        e2e_ms=660,
        gaps_ms=(40, 80, 240),
        connect_ms=35,
    )
    assert figures(observation) == pytest.approx(
        {
            "latency_ms": 660,
            "ttft_ms": 120,
            "ttfo_ms": 300,
            "tpot_ms": 60,  # (660 − 120) / (10 − 1)
            "decode_tokens_per_second": 1000 / 60,
            "tokens_per_second": 10 / 0.66,
            "input_tokens": 7,
            "output_tokens": 10,
            "reasoning_tokens": 4,
            "answer_characters": 13,
            "answer_words": 3,
            "connect_ms": 35,
            "cost_usd": 0.00125,
        }
    )


def test_time_per_token_needs_two_tokens():
    one, two = (figures(seen(tokens=Tokens(1, output), ttft_ms=100, ttfo_ms=100, e2e_ms=150)) for output in (1, 2))
    assert "tpot_ms" not in one
    assert "decode_tokens_per_second" not in one
    assert two["tpot_ms"] == 50
    assert two["decode_tokens_per_second"] == 20


def test_an_answer_in_one_piece_has_no_first_token():
    found = figures(seen(tokens=Tokens(1, 20), streamed=False, ttft_ms=500, ttfo_ms=500, e2e_ms=500))
    assert found["latency_ms"] == 500
    assert found["tokens_per_second"] == 40
    assert not {"ttft_ms", "ttfo_ms", "tpot_ms", "decode_tokens_per_second"} & set(found)


def test_all_tokens_in_one_chunk_take_no_time_and_give_no_rate():
    found = figures(seen(tokens=Tokens(1, 20), ttft_ms=500, e2e_ms=500))
    assert found["tpot_ms"] == 0
    assert "decode_tokens_per_second" not in found


def test_what_the_endpoint_did_not_tell_is_absent():
    found = figures(Observation(timing=Timing(sent_at=0, ended_at=1)))
    assert found == {"answer_characters": 0, "answer_words": 0}


@pytest.mark.parametrize(
    ("objectives", "met"),
    [
        (Objectives(), True),
        (Objectives(e2e_ms=1000), True),
        (Objectives(e2e_ms=999), False),
        (Objectives(ttft_ms=200), True),
        (Objectives(ttft_ms=199), False),
        (Objectives(tpot_ms=80), True),  # (1000 − 200) / 10
        (Objectives(tpot_ms=79), False),
        (Objectives(e2e_ms=1000, ttft_ms=199), False),
    ],
)
def test_every_stated_objective_must_be_met(objectives: Objectives, met: bool):
    assert meets(objectives, seen(tokens=Tokens(1, 11), ttft_ms=200, e2e_ms=1000)) is met


def test_an_answer_in_one_piece_shows_its_first_token_with_its_last():
    observation = seen(tokens=Tokens(1, 11), streamed=False, e2e_ms=1000)
    assert meets(Objectives(ttft_ms=1000, tpot_ms=1), observation)
    assert not meets(Objectives(ttft_ms=999), observation)


def test_a_single_token_has_no_time_per_token_to_miss():
    assert meets(Objectives(tpot_ms=1), seen(tokens=Tokens(1, 1), ttft_ms=1, e2e_ms=1000))


def test_what_is_not_known_is_not_met():
    assert not meets(Objectives(tpot_ms=1000), seen(ttft_ms=1, e2e_ms=2))
    assert not meets(Objectives(e2e_ms=1000), seen(tokens=Tokens(1, 0)))


def test_reasoning_that_is_counted_and_not_streamed_is_noticed():
    counted = Tokens(1, 50, reasoning=40)
    assert hides_reasoning(seen(tokens=counted))
    assert not hides_reasoning(seen(tokens=counted, reasoning="hm"))
    assert not hides_reasoning(seen(tokens=Tokens(1, 50)))
