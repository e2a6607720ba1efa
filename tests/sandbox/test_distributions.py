"""Times drawn from distributions: the notation, the shares, and that a seed repeats them."""

from math import exp, log, sqrt
from statistics import NormalDist, fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ownkey.sandbox import Options
from ownkey.sandbox.behaviours.invocation import parse_model_name
from ownkey.sandbox.options import LONGEST_MS, parse_distribution
from ownkey.sandbox.pacing import DrawnPace, Pace, Timing, pace_for, share

FORMS = ["constant:200", "uniform:100:300", "exponential:200", "lognormal:200:0.5"]


@pytest.mark.parametrize("text", FORMS)
def test_the_notation_is_read_and_written_alike(text: str):
    assert str(parse_distribution(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        *("", "soon", "-1", "nan", "inf", "1e99", "normal:1:2", "uniform:1", "uniform:300:100", "lognormal:1:9"),
        *("exponential:", "exponential:1:2", "constant:x", "lognormal:1:-1"),
    ],
)
def test_what_is_no_distribution_is_refused_with_an_example(text: str):
    with pytest.raises(ValueError, match=r"for example|write one of|write the lower|goes up to"):
        parse_distribution(text)


def test_the_inverse_functions_are_the_textbooks():
    exponential, uniform = parse_distribution("exponential:200"), parse_distribution("uniform:100:300")
    lognormal = parse_distribution("lognormal:200:0.5")
    for p in (0.01, 0.5, 0.9, 0.99):
        assert exponential.at(p) == pytest.approx(-200 * log(1 - p))
        assert uniform.at(p) == pytest.approx(100 + 200 * p)
        assert lognormal.at(p) == pytest.approx(200 * exp(0.5 * NormalDist().inv_cdf(p)))
    assert lognormal.at(0.5) == pytest.approx(200)
    assert parse_distribution("7").at(0.3) == 7
    assert parse_distribution("lognormal:0:1").at(0.9) == 0


@given(st.sampled_from(FORMS), st.floats(1e-9, 1 - 1e-9), st.floats(1e-9, 1 - 1e-9))
def test_a_larger_share_never_means_a_shorter_time(text: str, p: float, q: float):
    found = parse_distribution(text)
    low, high = sorted((p, q))
    assert 0 <= found.at(low) <= found.at(high) <= LONGEST_MS


def test_the_shares_drawn_are_even_and_independent_of_each_other():
    count = 4000
    for index in (0, 1):
        drawn = sorted(share(1 + 1_000_003 * 7 + number, index) for number in range(count))
        apart = max(abs(value - (place + 0.5) / count) for place, value in enumerate(drawn))
        assert apart < 1.95 / sqrt(count)  # Kolmogorov and Smirnov's bound at one in a thousand
    pairs = [(share(number, 0) - 0.5, share(number, 1) - 0.5) for number in range(count)]
    assert abs(fmean(a * b for a, b in pairs)) * 12 < 3.3 / sqrt(count)


def test_the_options_draw_a_time_for_each_request_and_repeat_it_with_the_seed():
    options = Options(ttft=parse_distribution("lognormal:200:0.5"), gap=parse_distribution("exponential:20"), seed=3)
    paces = [pace_for(options, {}, number, 0.0) for number in range(2000)]
    firsts = sorted(pace.due(0) for pace in paces)
    assert firsts[1000] == pytest.approx(0.2, rel=0.06)
    assert firsts[1900] == pytest.approx(0.2 * exp(0.5 * 1.645), rel=0.12)
    assert [pace.due(9) for pace in paces] == [pace_for(options, {}, number, 0.0).due(9) for number in range(2000)]
    assert fmean(pace.due(9) - pace.due(8) for pace in paces) == pytest.approx(0.02, rel=0.1)
    other = Options(ttft=options.ttft, gap=options.gap, seed=4)
    assert pace_for(other, {}, 1, 0.0).due(0) != paces[1].due(0)


def test_tokens_are_due_in_order_whatever_is_asked_first():
    drawn = DrawnPace(parse_distribution("20"), parse_distribution("exponential:5"), seed=11)
    last = drawn.due(50)
    dues = [drawn.due(tokens) for tokens in range(51)]
    assert dues == sorted(dues)
    assert (dues[0], dues[-1]) == (0.02, last)


def test_a_models_name_outranks_the_headers_and_they_the_options():
    options = Options(ttft=parse_distribution("exponential:9"), tokens_per_second=100)
    headers = {b"x-sandbox-ttft-ms": b"uniform:40:40", b"x-sandbox-gap-ms": b"7"}
    by_header = pace_for(options, headers, 1, 0.0)
    assert (by_header.due(0), by_header.due(1)) == pytest.approx((0.04, 0.047))
    named = Timing(ttft=parse_distribution("5"))
    by_name = pace_for(options, headers, 1, 0.0, named)
    assert (by_name.due(0), by_name.due(1)) == pytest.approx((0.005, 0.012))
    plain = pace_for(options, {b"x-sandbox-ttft-ms": b"30"}, 1, 0.0)
    assert isinstance(plain, Pace)
    assert (plain.due(0), plain.due(1)) == pytest.approx((0.03, 0.04))


def test_a_name_brings_its_times_its_chunks_and_its_seed():
    name = parse_model_name("custom/lorem-50+ttft=lognormal:200:0.5+gap=10+chunk=4+seed=7")
    assert (name.word, name.numbers, name.chunk) == ("lorem", (50,), 4)
    assert name.timing == Timing(parse_distribution("lognormal:200:0.5"), parse_distribution("constant:10"), 7)
    assert parse_model_name("flaky-3-429").numbers == (3, 429)
    assert parse_model_name("small-context-100").word == "small-context"
    assert parse_model_name("command-r+").timing is None


@pytest.mark.parametrize("name", ["echo+ttft=soon", "echo+chunk=0", "echo+chunk=x", "echo+seed=", "echo+seed=1+rest"])
def test_additions_that_cannot_be_read_are_refused(name: str):
    with pytest.raises(ValueError, match=r"write|there are"):
        parse_model_name(name)
