"""The metrics with their formulas, and the cautions about them."""

from collections import Counter
from collections.abc import Sequence
from math import ceil

from ownkey.workbench.metrics.statistics import NEEDED
from ownkey.workbench.records import Arrival, RunPlan
from ownkey.workbench.summary import Definition, TargetSummary

REQUEST_UNITS = {
    "latency_ms": "ms",
    "ttft_ms": "ms",
    "ttfo_ms": "ms",
    "tpot_ms": "ms",
    "chunk_gap_ms": "ms",
    "tokens_per_second": "tokens/s",
    "decode_tokens_per_second": "tokens/s",
    "input_tokens": "tokens",
    "output_tokens": "tokens",
    "reasoning_tokens": "tokens",
    "answer_characters": "characters",
    "answer_words": "words",
    "backoff_ms": "ms",
    "connect_ms": "ms",
    "late_ms": "ms",
    "cost_usd": "USD",
    "score": "",
}
"""The metrics of a `Spread`, in the order in which they are shown, with their units."""

_REQUEST_FORMULAS = {
    "latency_ms": "last content chunk − request sent (not [DONE], not the usage frame); answers only",
    "ttft_ms": "first non-empty content or reasoning delta − request sent; streamed answers only",
    "ttfo_ms": "first delta that is not reasoning − request sent; streamed answers only",
    "tpot_ms": "(latency − TTFT) / (output tokens − 1); streamed answers from 2 output tokens on",
    "chunk_gap_ms": "time between one content chunk and the next, all gaps of all answers",
    "tokens_per_second": "output tokens of one answer / its latency",
    "decode_tokens_per_second": "1 / TPOT",
    "input_tokens": "the server's count, else our estimate (counted as estimated)",
    "output_tokens": "the server's count, reasoning included, else our estimate (counted as estimated)",
    "reasoning_tokens": "the server's count; part of the output tokens",
    "answer_characters": "Unicode characters of the answer, without reasoning",
    "answer_words": "words of the answer between white space, without reasoning",
    "backoff_ms": "time waited between the attempts of one request, failed requests included; in no latency",
    "connect_ms": "name, TCP and TLS before the request, where a connection was opened; in no latency",
    "late_ms": "request sent − request due; open-loop load only, part of every other time of the request",
    "cost_usd": "tokens × price of one answer, tries that broke off included",
    "score": "weighted mean of the scores of an answer's checks, 0 to 1",
}

_RUN = (
    Definition("success", "share", "requests answered in the end / requests; 95 % Wilson interval"),
    Definition("first_attempt", "share", "requests whose first call was answered / requests; 95 % Wilson interval"),
    Definition("passed", "share", "answers that passed / answers that were graded; 95 % Wilson interval"),
    Definition("good", "share", "requests that met all stated objectives / requests, failed ones included"),
    Definition("duration_ms", "ms", "last response − first send, summed over the rounds of the run"),
    Definition("system_tokens_per_second", "tokens/s", "all output tokens / duration"),
    Definition("requests_per_second", "requests/s", "requests answered in the end / duration"),
    Definition("goodput_per_second", "requests/s", "requests that met all stated objectives / duration"),
    Definition(
        "quality_adjusted_goodput",
        "requests/s",
        "requests that passed and met all stated objectives / duration (the pass rate among good requests × goodput)",
    ),
    Definition(
        "cost_per_passed_usd", "USD", "cost of all requests / answers that passed; only if every price is known"
    ),
    Definition("cold_start", "", "the first warm-up request; without warm-up the first answered request of the run"),
)

DEFINITIONS = (
    *(Definition(name, unit, _REQUEST_FORMULAS[name]) for name, unit in REQUEST_UNITS.items()),
    *_RUN,
)


_NOTES = {
    "whole": "{count} of {total} answers of {label} came in one piece: they have no time to first token and no time "
    "per token, and those figures leave them out.",
    "empty": "{count} of {total} answers of {label} were empty: they have no latency, and that figure leaves them out.",
    "uncounted": "{count} of {total} answers of {label} came without token counts: its tokens and tokens/s leave them "
    "out and are too low.",
    "hidden": "{count} of {total} answers of {label} contain reasoning that was not streamed: its time per token is "
    "too short and 1/TPOT too high, because those tokens came before the first one seen.",
    "doubted": "{count} of {total} answers of {label} carry a caution of their own, shown with each answer.",
}


def load_in_words(plan: RunPlan) -> str:
    """How requests were sent, shown with the figures."""
    if plan.arrival is Arrival.CLOSED:
        return f"closed loop: {plan.concurrency} at a time, the next request is sent when one ends"
    name = "Poisson" if plan.arrival is Arrival.POISSON else "constant"
    return f"open loop: {name} arrivals, {plan.rate or 0:g} requests/s; times count from the moment a request was due"


def cautions(plan: RunPlan, targets: Sequence[TargetSummary], notes: Sequence[Counter[str]]) -> tuple[str, ...]:
    """Sentences in the order of their weight; `notes` are each target's, as `TargetTally.notes` gives them."""
    found: list[str] = []
    done = sum(target.requests for target in targets)
    if done < plan.total:
        found.append(f"The figures cover {done} of {plan.total} requests.")
    found.extend(_percentiles(plan, targets))
    for target, noted in zip(targets, notes, strict=True):
        found.extend(_of_target(target, noted))
    if not plan.warm_up and done:
        found.append("No warm-up: the first request, which may have met a cold model, is among the figures.")
    if len(targets) > 1:
        found.append(
            "The models were asked in turn in the same time: tokens/s, requests/s and goodput of each are over that "
            "shared time and say nothing about what one could do alone."
        )
    return tuple(found)


def _percentiles(plan: RunPlan, targets: Sequence[TargetSummary]) -> list[str]:
    """One sentence about the target with the fewest answers, offering the repeats that would do."""
    counts = [target.metrics["latency_ms"].count for target in targets if "latency_ms" in target.metrics]
    if not counts or min(counts) >= NEEDED["p99"]:
        return []
    fewest, prompts = min(counts), max(plan.prompts, 1)
    short = {name: needed for name, needed in NEEDED.items() if fewest < needed}
    needs = " and ".join(f"{name} needs {needed}" for name, needed in short.items())
    offers = " or ".join(f"{ceil(needed / prompts)} times for {name}" for name, needed in short.items())
    answers = "1 answer" if fewest == 1 else f"{fewest} answers"
    return [
        (
            f"{' and '.join(short)} cannot be relied on: they rest on {answers} a model, and for 95 % assurance "
            f"{needs}. Repeat each prompt {offers}."
        )
    ]


def _of_target(target: TargetSummary, noted: Counter[str]) -> list[str]:
    answers = target.success.count
    found = [
        text.format(count=noted[name], total=answers, label=target.label)
        for name, text in _NOTES.items()
        if noted[name]
    ]
    if target.tokens.estimated:
        found.append(
            f"The tokens of {target.tokens.estimated} of {target.requests} requests to {target.label} are estimated "
            "from the text, because the endpoint did not count them."
        )
    if target.cost_usd is not None and target.unpriced:
        found.append(
            f"The cost of {target.label} leaves out answers without a known price: {target.unpriced} of {answers}."
        )
    return found
