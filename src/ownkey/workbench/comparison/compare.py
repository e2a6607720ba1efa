"""Every two targets of a run, compared on the prompts they share."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import fsum, sqrt

from msgspec.structs import replace

from ownkey.workbench.comparison.pairs import LEVEL, MEASURES, PREFERENCE, Pairs, Sample
from ownkey.workbench.comparison.statistics import (
    SIGN_FLIP,
    fewest_prompts,
    further,
    holm,
    interval,
    method,
    only,
    p_values,
    prompts_for_mean,
    prompts_for_share,
)
from ownkey.workbench.comparison.words import Names, metric_words, names, overall, overall_words, speaks_for
from ownkey.workbench.records import RunPlan
from ownkey.workbench.summary import MetricComparison, PairComparison, Preference, TargetSummary, Verdict

_NO_PREFERENCES: Mapping[tuple[int, int], Preference] = {}


def compare(
    plan: RunPlan,
    pairs: Pairs,
    targets: Sequence[TargetSummary],
    preferences: Mapping[tuple[int, int], Preference] = _NO_PREFERENCES,
) -> tuple[PairComparison, ...]:
    """Compare all pairs (a, b) with a < b, corrected together for everything that is tested.

    `targets` are the figures of the same results, in the plan's order. `preferences` are a judge's, by pair, counted in
    prompts. Seeded by the plan: the same results give the same figures. It computes for about 0.1 s a pair of 100
    prompts and 1 s a pair of 5,000, so run it in a thread.
    """
    who = list(combinations(range(len(plan.targets)), 2))
    samples = {pair: _samples(pairs, pair, preferences.get(pair)) for pair in who}
    metrics = judge([samples[pair] for pair in who], plan.seed, intervals=True)
    return tuple(
        _compared(pair, found, pairs, targets, preferences.get(pair)) for pair, found in zip(who, metrics, strict=True)
    )


def judge(samples: Sequence[Sequence[Sample]], seed: int, *, intervals: bool) -> list[list[MetricComparison]]:
    """The verdict of each sample, grouped as they were given; all are corrected together.

    Without `intervals` these are left at the difference, which saves most of the time.
    """
    flat = [sample for group in samples for sample in group]
    results = iter(conclude(flat, p_values(flat, seed), seed, intervals=intervals))
    return [[next(results) for _ in group] for group in samples]


def conclude(
    samples: Sequence[Sample], found: Sequence[float], seed: int, *, intervals: bool
) -> list[MetricComparison]:
    """Samples with their p-values `found`, corrected together."""
    return [
        _concluded(sample, p, adjusted, len(samples), interval(sample, seed) if intervals else None)
        for sample, p, adjusted in zip(samples, found, holm(found), strict=True)
    ]


def _samples(pairs: Pairs, pair: tuple[int, int], preference: Preference | None) -> list[Sample]:
    found = pairs.samples(*pair)
    if preference and preference.a_wins + preference.b_wins + preference.ties:
        found.append(_preferred(preference))
    order = [measure.name for measure in MEASURES]
    return sorted(found, key=lambda sample: order.index(sample.measure.name))


def _preferred(preference: Preference) -> Sample:
    """Wins as values of 1 for who won, so that the means are the shares of prompts won."""
    a_wins, b_wins, ties = preference.a_wins, preference.b_wins, preference.ties
    return Sample(PREFERENCE, [1.0] * a_wins + [0.0] * (b_wins + ties), [0.0] * a_wins + [1.0] * b_wins + [0.0] * ties)


def _concluded(
    sample: Sample, p: float, adjusted: float, tests: int, bounds: tuple[float, float] | None
) -> MetricComparison:
    measure, count = sample.measure, len(sample.a)
    difference = fsum(sample.differences) / count
    low, high = bounds or (difference, difference)
    verdict = speaks_for(difference, adjusted, higher_is_better=measure.higher_is_better)
    return MetricComparison(
        metric=measure.name,
        unit=measure.unit,
        higher_is_better=measure.higher_is_better,
        method=method(sample),
        pairs=count,
        a=fsum(sample.a) / count,
        b=fsum(sample.b) / count,
        difference=difference,
        low=low,
        high=high,
        p=p,
        p_adjusted=adjusted,
        verdict=verdict,
        more_pairs=_more_pairs(sample, difference, tests) if verdict is Verdict.CANNOT_TELL else None,
    )


def _more_pairs(sample: Sample, difference: float, tests: int) -> int | None:
    """None where there is no difference that more prompts could show."""
    count = len(sample.a)
    if difference == 0:
        return None
    if method(sample) != SIGN_FLIP:
        only_a, only_b = only(sample)
        return further(prompts_for_share(only_a / count, only_b / count, tests, LEVEL), count)
    if count == 1:
        return further(fewest_prompts(tests, LEVEL), count)
    deviation = sqrt(fsum((each - difference) ** 2 for each in sample.differences) / (count - 1))
    return further(prompts_for_mean(difference, deviation, tests, LEVEL), count)


def _compared(
    pair: tuple[int, int],
    metrics: Sequence[MetricComparison],
    pairs: Pairs,
    targets: Sequence[TargetSummary],
    preference: Preference | None,
) -> PairComparison:
    a, b = (targets[index] for index in pair)
    who = names(a.label, b.label, (pairs.calls(pair[0]), pairs.calls(pair[1])))
    told = tuple(_told(metric, who) for metric in metrics)
    # A model that never answered is not slower and does not cost more: it was not tested.
    unanswered = any(calls == failed for calls, failed in who.calls)
    return PairComparison(
        a=pair[0],
        b=pair[1],
        verdict=Verdict.CANNOT_TELL if unanswered else overall(told),
        words=overall_words(told, who),
        metrics=told,
        preference=preference,
        quality_adjusted_goodput=(a.quality_adjusted_goodput, b.quality_adjusted_goodput),
        cost_per_passed_usd=(a.cost_per_passed_usd, b.cost_per_passed_usd),
    )


def _told(metric: MetricComparison, who: Names) -> MetricComparison:
    return replace(metric, words=metric_words(metric, who))
