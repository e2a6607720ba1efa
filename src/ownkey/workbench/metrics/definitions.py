"""Every metric in words: shown beside its figure and exported with it."""

from ownkey.workbench.summary import Definition

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
