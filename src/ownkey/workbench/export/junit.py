"""JUnit XML, as build servers read it.

    testsuite   model × suite
    testcase    a prompt, or one of its repetitions
    failure     a check that was not satisfied, with its reason
    error       a call that brought no answer: the failure's kind and message
    skipped     answered and not graded, cancelled, or not run

The shape is that of Jenkins' xUnit plug-in (`junit-10.xsd`), the strictest in wide use: it knows properties of a suite
and none of a case, so a case's figures stand in its `system-out`. Warm-up calls are no cases.
"""

import html
import re
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from tempfile import SpooledTemporaryFile

from ownkey.workbench.export.run import ExportedRun, Outcome, failed_checks, outcome
from ownkey.workbench.export.writing import utc
from ownkey.workbench.records import Failure, FailureKind, Prompt, Result, RunPlan
from ownkey.workbench.summary import TargetSummary

_MEMORY_BYTES = 1024 * 1024
_BLOCK_BYTES = 64 * 1024
_NOT_XML = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What is no `Char` of XML 1.0 (section 2.2)."""


@dataclass(slots=True)
class _Suite:
    """One target's cases, which come mixed with other targets'; beyond a megabyte they wait in an unnamed file, as the
    counts stand in front of them."""

    cases: "SpooledTemporaryFile[bytes]"
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("tests", "failures", "errors", "skipped"), 0))
    seconds: float = 0.0

    def add(self, case: str, verdict: str, seconds: float) -> None:
        self.cases.write(case.encode())
        self.counts["tests"] += 1
        self.seconds += seconds
        if verdict:
            self.counts[verdict] += 1


async def export_junit(run: ExportedRun) -> AsyncIterator[bytes]:
    with ExitStack() as stack:
        suites = [_Suite(stack.enter_context(SpooledTemporaryFile(max_size=_MEMORY_BYTES))) for _ in run.plan.targets]
        async for prompt, result in run.results:
            if not result.warm_up:
                verdict, inner = _verdict(prompt, result)
                suites[result.slot.target].add(_case(run.plan, result, inner), verdict, _seconds(result))
        for index, suite in enumerate(suites):
            _add_missing(run, index, suite)
        for piece in _written(run, suites):
            yield piece


def _written(run: ExportedRun, suites: list[_Suite]) -> Iterator[bytes]:
    total = {name: sum(suite.counts[name] for suite in suites) for name in ("tests", "failures", "errors")}
    time = f"{sum(suite.seconds for suite in suites):.3f}"
    yield b'<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f"<testsuites{_attributes({'name': run.plan.suite.name, 'time': time, **total})}>\n".encode()
    summaries = {summary.target: summary for summary in run.summary.targets}
    for index, suite in enumerate(suites):
        yield _suite_head(run, index, suite, summaries.get(index)).encode()
        suite.cases.seek(0)
        while block := suite.cases.read(_BLOCK_BYTES):
            yield block
        yield b"  </testsuite>\n"
    yield b"</testsuites>\n"


def _suite_head(run: ExportedRun, index: int, suite: _Suite, summary: TargetSummary | None) -> str:
    target = run.plan.targets[index]
    begun = run.created_at if run.started_at is None else run.started_at
    attributes = {
        "name": f"{target.label} × {run.plan.suite.name}",
        "id": index,
        "timestamp": utc(begun).strftime("%Y-%m-%dT%H:%M:%S"),
        "time": f"{suite.seconds:.3f}",
        **suite.counts,
    }
    properties = [("run", run.id), ("status", run.status.value), ("model", target.model), ("suite", run.plan.suite.id)]
    if summary is not None:
        properties += _figures(summary)
    lines = [f"      <property{_attributes({'name': name, 'value': value})}/>\n" for name, value in properties]
    return f"  <testsuite{_attributes(attributes)}>\n    <properties>\n{''.join(lines)}    </properties>\n"


def _figures(summary: TargetSummary) -> Iterable[tuple[str, str]]:
    for name, rate in (("success", summary.success), ("passed", summary.passed)):
        if rate is not None:
            yield f"{name}.rate", f"{rate.rate:g}"
            yield f"{name}.interval", f"{rate.low:g} to {rate.high:g}"
            yield f"{name}.count", str(rate.total)
    if summary.cost_usd is not None:
        yield "cost.usd", summary.cost_usd
    for name, spread in summary.metrics.items():
        for figure in ("avg", "min", "max", "p50", "p95", "p99"):
            yield f"{name}.{figure}", f"{getattr(spread, figure):g}"
        yield f"{name}.unit", spread.unit
        yield f"{name}.count", str(spread.count)


def _case(plan: RunPlan, result: Result, inner: str) -> str:
    name = result.prompt_id
    if plan.repeats > 1:
        name += f" (repeat {result.slot.repeat + 1} of {plan.repeats})"
    attributes = {"name": name, "classname": _class_name(plan, result.slot.target), "time": f"{_seconds(result):.3f}"}
    return f"    <testcase{_attributes(attributes)}>\n{inner}{_output(result)}    </testcase>\n"


def _verdict(prompt: Prompt, result: Result) -> tuple[str, str]:
    """Which count the case belongs to, "" for none, and the element that says so."""
    failure = result.observation.failure
    match outcome(result):
        case Outcome.ERROR if failure is not None:
            if failure.kind is FailureKind.CANCELLED:
                return "skipped", _element("skipped", "not run: cancelled")
            return "errors", _element("error", f"{failure.kind}: {failure.message}", failure.kind, _detail(failure))
        case Outcome.FAILED:
            reasons = [f"{grade.check}: {grade.reason or 'not satisfied'}" for grade in failed_checks(result)]
            first = reasons[0] if reasons else "the checks were not satisfied"
            kind = failed_checks(result)[0].check if reasons else "checks"
            return "failures", _element("failure", first, kind, "\n".join([*reasons, "", *_exchange(prompt, result)]))
        case Outcome.UNGRADED:
            reasons = [f"{grade.check}: {grade.reason}" for grade in result.grades if grade.passed is None]
            return "skipped", _element("skipped", "; ".join(reasons) or "answered; the prompt has no check")
        case _:
            return "", ""


def _detail(failure: Failure) -> str:
    return f"status: {failure.status}" if failure.status is not None else ""


def _exchange(prompt: Prompt, result: Result) -> Iterator[str]:
    if prompt.messages:
        yield f"Question:\n{prompt.messages[-1].content}\n"
    yield f"Answer:\n{result.observation.text}"


def _output(result: Result) -> str:
    observation = result.observation
    figures: list[tuple[str, object]] = [
        ("e2e_ms", observation.timing.e2e_ms),
        ("ttft_ms", observation.timing.ttft_ms),
        ("attempts", observation.attempts),
    ]
    if observation.tokens is not None:
        figures += [("input_tokens", observation.tokens.input), ("output_tokens", observation.tokens.output)]
    if result.score is not None:
        figures.append(("score", result.score))
    lines = "\n".join(f"{name}: {value}" for name, value in figures if value is not None)
    return f"      <system-out>{lines}</system-out>\n"


def _add_missing(run: ExportedRun, index: int, suite: _Suite) -> None:
    missing = run.plan.prompts * run.plan.repeats - suite.counts["tests"]
    if missing > 0:
        text = f"{missing} of {run.plan.prompts * run.plan.repeats} requests were not run; the run is {run.status}"
        attributes = {"name": "not run", "classname": _class_name(run.plan, index), "time": "0.000"}
        inner = _element("skipped", f"{text}: {run.detail}" if run.detail else text)
        suite.add(f"    <testcase{_attributes(attributes)}>\n{inner}    </testcase>\n", "skipped", 0.0)


def _class_name(plan: RunPlan, target: int) -> str:
    """Dots part packages in many readers, and model names have them."""
    return f"{plan.suite.id.replace('.', '_')}.{plan.targets[target].label.replace('.', '_')}"


def _seconds(result: Result) -> float:
    timing = result.observation.timing
    took = timing.e2e_ms / 1000 if timing.e2e_ms is not None else timing.ended_at - timing.sent_at
    return max(took, 0.0)


def _element(name: str, message: str, kind: str | None = None, text: str = "") -> str:
    attributes = {"message": message} if kind is None else {"type": kind, "message": message}
    return f"      <{name}{_attributes(attributes)}>{_text(text)}</{name}>\n"


def _attributes(values: dict[str, str | int] | dict[str, str]) -> str:
    return "".join(f' {name}="{_attribute(str(value))}"' for name, value in values.items())


def _attribute(text: str) -> str:
    return _text(text).replace("\n", "&#10;").replace("\t", "&#9;")


def _text(text: str) -> str:
    """Escaped; a carriage return is a reference, as a parser would make it a line feed."""
    return html.escape(_NOT_XML.sub("\ufffd", text)).replace("\r", "&#13;")
