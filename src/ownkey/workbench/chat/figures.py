"""A run's figures and quotations of it, as the tested model reads them."""

import re
from collections.abc import Callable, Iterator, Sequence

import msgspec

from ownkey.workbench.records import RunPlan
from ownkey.workbench.summary import Definition, PairComparison, Rate, RunSummary, Spread, TargetSummary

_HIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_TAGS = re.compile("[\U000e0000-\U000e007f]")
"""Unicode's tag characters: invisible to people and read by models."""
_NAME_MARKS = re.compile(r"[\[\]\s]+")
_ID_LENGTH = 60
_MORE = " […]"


def quoted(text: str, length: int) -> str:
    """At most `length` characters of the text between quotation marks; a mark says that there is more."""
    shown = _TAGS.sub("", _HIDDEN.sub("", text))
    if len(shown) > length:
        shown = shown[: max(length - len(_MORE), 0)] + _MORE
    return msgspec.json.encode(shown).decode()


def citation(prompt_id: str) -> str:
    """The id as it is cited, without brackets around it: one word without brackets of its own."""
    shown = _NAME_MARKS.sub("_", _TAGS.sub("", _HIDDEN.sub("", prompt_id)))
    return shown if len(shown) <= _ID_LENGTH else f"{shown[: _ID_LENGTH - 1]}…"


_LABEL = 40
_EXAMPLE = 160
_SENTENCE = 400
_HEADLINES = ("latency_ms", "ttft_ms", "tokens_per_second")

Level = Callable[[RunPlan, RunSummary], Iterator[str]]


def full(plan: RunPlan, summary: RunSummary) -> Iterator[str]:
    """Every metric with its formula, every comparison, failures with advice."""
    yield from _verdicts(plan, summary)
    for target in summary.targets:
        yield _headline(target)
        yield from (f"  {name}: {_spread(spread)}" for name, spread in target.metrics.items())
        yield from _of_the_run(target)
        yield from _failures(target, examples=True)
    for pair in summary.comparisons:
        yield from _comparison(plan, pair)
    yield from (f"formula of {found.name} ({found.unit}): {found.formula}" for found in _used(summary))
    yield from _cautions(summary)


def medium(plan: RunPlan, summary: RunSummary) -> Iterator[str]:
    """The leading metrics with p50 and p95, verdicts, failures by kind."""
    yield from _verdicts(plan, summary)
    for target in summary.targets:
        yield _headline(target)
        for name in _HEADLINES:
            if spread := target.metrics.get(name):
                yield f"  {name}: {_short_spread(spread)}"
        yield from _failures(target, examples=False)
    yield from _cautions(summary)


def short(plan: RunPlan, summary: RunSummary) -> Iterator[str]:
    """A line a target; the rest follows while it fits."""
    yield from (_headline(target) for target in summary.targets)
    yield from _verdicts(plan, summary)
    for target in summary.targets:
        yield from _failures(target, examples=False)
    yield from _cautions(summary)


LEVELS: Sequence[Level] = (full, medium, short)


def _verdicts(plan: RunPlan, summary: RunSummary) -> Iterator[str]:
    for pair in summary.comparisons:
        words = quoted(pair.words, _SENTENCE) if pair.words else pair.verdict.value
        yield f"Verdict on {_label(plan, pair.a)} and {_label(plan, pair.b)}: {words}"


def _label(plan: RunPlan, target: int) -> str:
    return quoted(plan.targets[target].label, _LABEL)


def _headline(target: TargetSummary) -> str:
    said = f"{quoted(target.label, _LABEL)}: answered {_rate(target.success)}"
    if target.passed is not None:
        said += f", passed {_rate(target.passed)}"
    if latency := target.metrics.get("latency_ms"):
        said += f", median latency {_number(latency.p50)} ms (n={latency.count})"
    return f"{said}, cost {'not known' if target.cost_usd is None else f'{target.cost_usd} USD'}"


def _rate(rate: Rate) -> str:
    return f"{rate.count} of {rate.total} (95 % interval {rate.low * 100:.0f} to {rate.high * 100:.0f} %)"


def _spread(spread: Spread) -> str:
    names = ("avg", "p50", "p95", "p99", "min", "max")
    shown = ", ".join(f"{name} {_number(getattr(spread, name))}" for name in names)
    return f"{shown} {spread.unit}, n={spread.count}{_unsure(spread)}"


def _short_spread(spread: Spread) -> str:
    return f"p50 {_number(spread.p50)}, p95 {_number(spread.p95)} {spread.unit}, n={spread.count}{_unsure(spread)}"


def _unsure(spread: Spread) -> str:
    return f" (too few for {' and '.join(spread.cautions)})" if spread.cautions else ""


def _of_the_run(target: TargetSummary) -> Iterator[str]:
    yield f"  answered at the first attempt: {_rate(target.first_attempt)}"
    tokens = target.tokens
    reasoning = f" ({tokens.reasoning} reasoning)" if tokens.reasoning else ""
    estimated = f"; estimated for {tokens.estimated} requests" if tokens.estimated else ""
    yield f"  tokens: {tokens.input} in, {tokens.output} out{reasoning}{estimated}"
    figures = (
        ("system tokens/s", target.system_tokens_per_second),
        ("requests/s", target.requests_per_second),
        ("goodput requests/s", target.goodput_per_second),
        ("passed and within the objectives, requests/s", target.quality_adjusted_goodput),
    )
    for name, value in figures:
        if value is not None:
            yield f"  {name}: {_number(value)}"
    if target.good is not None:
        yield f"  met the objectives: {_rate(target.good)}"
    if target.cost_per_passed_usd is not None:
        yield f"  cost per passed answer: {target.cost_per_passed_usd} USD"
    if target.cold_start:
        shown = ", ".join(f"{name} {_number(value)}" for name, value in target.cold_start.items())
        yield f"  cold start: {shown}"


def _failures(target: TargetSummary, *, examples: bool) -> Iterator[str]:
    for failure in target.failures:
        said = f"{quoted(target.label, _LABEL)} without an answer, {failure.kind}: {failure.count}"
        if examples:
            said += f"; advice: {failure.advice} The endpoint said {quoted(failure.example, _EXAMPLE)}"
        yield said


def _comparison(plan: RunPlan, pair: PairComparison) -> Iterator[str]:
    yield f"A = {_label(plan, pair.a)}, B = {_label(plan, pair.b)}, on the same prompts:"
    for metric in pair.metrics:
        more = f"; about {metric.more_pairs} more pairs would tell" if metric.more_pairs is not None else ""
        yield (
            f"  {metric.metric} ({metric.unit}): A {_number(metric.a)}, B {_number(metric.b)}, B − A "
            f"{_number(metric.difference)} (95 % {_number(metric.low)} to {_number(metric.high)}), corrected p "
            f"{metric.p_adjusted:.3g}, {metric.pairs} pairs: {metric.verdict}{more}"
        )
    if pair.preference is not None:
        found = pair.preference
        yield (
            f"  judge {quoted(found.judge, _LABEL)}: A {found.a_wins} wins, B {found.b_wins}, {found.ties} ties; "
            f"it contradicted itself in {found.flip_rate * 100:.0f} %"
        )


def _used(summary: RunSummary) -> Iterator[Definition]:
    """The definitions of the metrics that have values."""
    for definition in summary.definitions:
        if any(definition.name in target.metrics for target in summary.targets):
            yield definition


def _cautions(summary: RunSummary) -> Iterator[str]:
    yield from (f"Caution: {quoted(caution, _SENTENCE)}" for caution in summary.cautions)


def _number(value: float) -> str:
    """Three significant digits, whole from 100 on."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"
