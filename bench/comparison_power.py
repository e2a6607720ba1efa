"""`python -m bench.comparison_power`: how often the comparison is wrong, and how often it finds what is there.

Two simulated models answer the same prompts: a prompt has a length and a difficulty of its own, which both share, and
each answer varies around them. Many such comparisons are judged by the workbench's own code, together but each
corrected by itself. The table of docs/metrics.md is what this prints; the seed is fixed.
"""

import argparse
import time
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ownkey.workbench.comparison.compare import conclude
from ownkey.workbench.comparison.pairs import COST, LATENCY, PASSED, RATE, SCORE, TTFT, Sample
from ownkey.workbench.comparison.statistics import p_values
from ownkey.workbench.comparison.words import overall
from ownkey.workbench.summary import MetricComparison, Verdict

_MEASURES = (PASSED, SCORE, LATENCY, TTFT, RATE, COST)
_SEED = 20


class Case(Struct, frozen=True):
    """How b differs from a: factors on latency (all its times) and price, and the pass probabilities of an average
    prompt. `prompts` and `repeats` are those of the run."""

    name: str
    prompts: int
    repeats: int = 1
    latency: float = 1.0
    price: float = 1.0
    passes: tuple[float, float] = (0.8, 0.8)


class Judged(Struct, frozen=True):
    """How many of `comparisons` ended with each overall verdict, and how often a single measure spoke."""

    case: Case
    comparisons: int
    overall: Counter[Verdict]
    measures: Counter[tuple[str, Verdict]]

    def share(self, verdict: Verdict) -> float:
        return self.overall[verdict] / self.comparisons

    @property
    def told(self) -> float | None:
        """How often the measure that differs most spoke for b by itself; None for equal models."""
        case = self.case
        differs = [(LATENCY, case.latency != 1), (COST, case.price != 1), (PASSED, case.passes[0] != case.passes[1])]
        found = [self.measures[measure.name, Verdict.B] for measure, different in differs if different]
        return found[0] / self.comparisons if found else None


def cases() -> Iterator[Case]:
    """Equal models first, then real differences."""
    for prompts in (10, 30, 100):
        yield Case("alike", prompts)
    yield Case("alike", 10, repeats=3)
    for prompts in (10, 30, 100):
        yield Case("b 20 % faster", prompts, latency=0.8)
        yield Case("b 20 % cheaper", prompts, price=0.8)
        yield Case("b passes 90 %, a 70 %", prompts, passes=(0.7, 0.9))
        yield Case("b passes 90 %, a 50 %", prompts, passes=(0.5, 0.9))
    yield Case("b 20 % faster", 10, repeats=3, latency=0.8)
    yield Case("b passes 90 %, a 70 %", 30, repeats=3, passes=(0.7, 0.9))


def judge_many(case: Case, comparisons: int, seed: int = _SEED) -> Judged:
    """Simulate and judge so many comparisons of one case."""
    samples = simulate(case, comparisons, seed)
    width = len(_MEASURES)
    found = p_values(samples, seed)
    verdicts: Counter[Verdict] = Counter()
    spoken: Counter[tuple[str, Verdict]] = Counter()
    for start in range(0, len(samples), width):
        metrics: Sequence[MetricComparison] = conclude(
            samples[start : start + width], found[start : start + width], seed, intervals=False
        )
        verdicts[overall(metrics)] += 1
        spoken.update((metric.metric, metric.verdict) for metric in metrics)
    return Judged(case, comparisons, verdicts, spoken)


def simulate(case: Case, comparisons: int, seed: int) -> list[Sample]:
    """Samples of each measure, comparison by comparison, repeats averaged as `Pairs` does.

    Latency, time to first token and answer length are lognormal, with half of their spread from the prompt and half
    from the answer; cost follows the length. The pass probability of a prompt is that of the average prompt moved by a
    normal step on the logit scale.
    """
    random = np.random.default_rng([seed, case.prompts, case.repeats])
    shape = (comparisons, case.prompts, case.repeats)

    def lognormal(prompt: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.exp(prompt + random.normal(0.0, 0.25, shape))

    length, wait = (random.normal(0.0, 0.5, (comparisons, case.prompts, 1)) for _ in range(2))
    step = random.normal(0.0, 1.0, (comparisons, case.prompts, 1))
    sides: list[list[NDArray[np.float64]]] = []
    for latency, price, passes in zip((1.0, case.latency), (1.0, case.price), case.passes, strict=True):
        tokens = 300 * lognormal(length)
        ttft = 400 * latency * lognormal(wait)
        pace = 15 * latency * np.exp(random.normal(0.0, 0.1, shape))
        whole = ttft + pace * (tokens - 1)
        odds = np.exp(np.log(passes / (1 - passes)) + step)
        passed = (random.random(shape) < odds / (1 + odds)).astype(np.float64)
        score = np.clip(0.3 + 0.4 * passed + random.normal(0.0, 0.1, shape), 0.0, 1.0)
        values = (passed, score, whole, ttft, 1000 / pace, tokens * price * 1e-5)
        sides.append([each.mean(axis=2) for each in values])
    return [
        Sample(measure, a[index].tolist(), b[index].tolist())
        for index in range(comparisons)
        for measure, a, b in zip(_MEASURES, *sides, strict=True)
    ]


def main() -> None:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(prog="python -m bench.comparison_power", description=__doc__)
    parser.add_argument("--comparisons", type=int, default=1000, help="simulated comparisons a line (default 1000)")
    comparisons: int = parser.parse_args().comparisons
    began = time.monotonic()
    print("| models | prompts | repeats | a better | b better | cannot tell | the measure tells |")
    print("|---|---|---|---|---|---|---|")
    for case in cases():
        judged = judge_many(case, comparisons)
        a, b, open_ = (f"{judged.share(each) * 100:.1f} %" for each in (Verdict.A, Verdict.B, Verdict.CANNOT_TELL))
        told = "" if judged.told is None else f"{judged.told * 100:.1f} %"
        print(f"| {case.name} | {case.prompts} | {case.repeats} | {a} | {b} | {open_} | {told} |", flush=True)
    print(f"\n{comparisons} comparisons a line, {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
