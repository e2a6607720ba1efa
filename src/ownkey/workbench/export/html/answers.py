"""The answers, prompt by prompt. All of it is somebody else's text and shown as text."""

from itertools import groupby

from ownkey.workbench.export.html.charts.frame import series
from ownkey.workbench.export.html.collected import Collected
from ownkey.workbench.export.html.markup import duration, quoted, text
from ownkey.workbench.export.outcome import Outcome, outcome
from ownkey.workbench.records import Grade, Prompt, Result, Target

_MARKS = {Outcome.PASSED: "✓", Outcome.FAILED: "✗", Outcome.UNGRADED: "·", Outcome.ERROR: "!"}
_GRADES = {True: "passed", False: "failed", None: "not graded"}


def answers(collected: Collected, targets: tuple[Target, ...]) -> str:
    if not collected.answers:
        return ""
    groups = groupby(collected.answers, key=lambda pair: pair[1].slot.position)
    shown = "".join(_prompt(list(group), targets) for _, group in groups)
    note = ""
    if collected.left_out:
        note = (
            f'<p class="note">{collected.left_out} more answers are not in this report: it keeps the '
            f"{len(collected.answers)} that tell most (failed checks first, then errors, then the slowest). "
            "All of them are in the CSV, JSON and JSONL exports of this run.</p>"
        )
    return f"<section><h2>Answers</h2>{note}{shown}</section>"


def _prompt(group: list[tuple[Prompt, Result]], targets: tuple[Target, ...]) -> str:
    prompt = group[0][0]
    chips = "".join(_chip(result) for _, result in group)
    asked = "".join(_block(f"Question ({message.role})", message.content) for message in prompt.messages)
    reference = "" if prompt.reference is None else _block("A good answer", prompt.reference)
    given = "".join(_answer(result, targets[result.slot.target].label) for _, result in group)
    return (
        f'<details class="prompt"><summary><code dir="auto">{text(prompt.id)}</code>'
        f'<span class="chips">{chips}</span></summary>{asked}{reference}{given}</details>'
    )


def _chip(result: Result) -> str:
    found = outcome(result)
    latency = result.observation.timing.e2e_ms
    took = f" {duration(latency)}" if latency is not None and result.observation.ok else ""
    return (
        f'<span class="chip {found} {series(result.slot.target)}"><span class="swatch"></span>'
        f"{_MARKS[found]} {found}{took}</span>"
    )


def _block(title: str, content: str) -> str:
    return f'<h4>{text(title)}</h4><pre dir="auto">{text(content)}</pre>'


def _answer(result: Result, label: str) -> str:
    observation = result.observation
    repeat = f", repetition {result.slot.repeat + 1}" if result.slot.repeat else ""
    head = f'<h4 class="{series(result.slot.target)}"><span class="swatch"></span>{quoted(label)}{repeat}</h4>'
    if observation.failure is not None:
        failure = observation.failure
        body = f'<p class="quote" dir="auto">{text(failure.kind.replace("_", " "))}: {text(failure.message)}</p>'
    else:
        body = f'<pre dir="auto">{text(observation.text) or "<i>an empty answer</i>"}</pre>'
    notes = "".join(map(_grade, result.grades))
    notes += "".join(f'<li class="unsure">{quoted(caution)}</li>' for caution in observation.cautions)
    return f'<div class="answer">{head}{body}{f"<ul>{notes}</ul>" if notes else ""}</div>'


def _grade(grade: Grade) -> str:
    score = "" if grade.score is None else f" (score {grade.score:.2f})"
    reason = f": {quoted(grade.reason)}" if grade.reason else ""
    return f"<li>{text(grade.check)} {_GRADES[grade.passed]}{score}{reason}</li>"
