"""Models whose answers can be graded: right in a known share of the prompts, and judges of others' answers."""

import re
from hashlib import sha256
from typing import Any

import msgspec

from ownkey.sandbox.directions import answer_in, verdict_in
from ownkey.sandbox.scene import Behaviour, Cue
from ownkey.sandbox.turn import Reply

IGNORANCE = "I do not know."

_QUOTED = re.compile(r'"([^"\n]+)"')
_RUBRIC = re.compile(r"<rubric>(.*?)</rubric>", re.IGNORECASE | re.DOTALL)
_RUBRIC_LINE = re.compile(r"^\s*(?:rubric|criteria)\s*:", re.IGNORECASE | re.MULTILINE)
_OUTPUT = re.compile(r"<(?:output|answer|response)>(.*?)</", re.IGNORECASE | re.DOTALL)
_PAIR = re.compile(r"<(?:output|answer|response)[ _-]?([AB12])>(.*?)</", re.IGNORECASE | re.DOTALL)


def _right(cue: Cue) -> Reply:
    """The answer the prompt directs to, in `number` percent of all prompts. The same prompt and seed fall alike.

    One draw in [0, 100) belongs to each prompt, so that `right-80` knows all that `right-60` knows.
    """
    told = answer_in(cue.ask.prompt)
    drawn = sha256(f"{cue.seed}\n{cue.ask.prompt}".encode()).digest()
    luck = 100 * int.from_bytes(drawn[:6]) / 2**48
    return Reply(text=told if told is not None and luck < cue.number else IGNORANCE)


def _judge(cue: Cue) -> Reply:
    """A verdict as JSON: that of a `sandbox:verdict`, else whether the answer holds all that the rubric quotes.

    The rubric and the answer stand in <Rubric> and <Output> as promptfoo writes them, or the rubric after
    `Rubric:`. Of two answers, in <Output A> and <Output B>, the one that holds more of the quoted texts wins.
    """
    prompt = cue.ask.prompt
    directed = verdict_in(prompt)
    if directed is not None:
        return Reply(text=directed)
    rubric, answered = _taken_apart(prompt)
    wanted = [text.lower() for text in _QUOTED.findall(rubric)]
    pair = {name.upper(): _held(text, wanted) for name, text in _PAIR.findall(prompt)}
    if len(pair) == 2:
        return _preferring(pair)
    missing = [text for text in wanted if text not in answered.lower()]
    reason = f"The answer lacks {missing[0]!r}." if missing else "The answer holds all that the rubric quotes."
    return _verdict({"reason": reason, "pass": not missing, "score": 0.0 if missing else 1.0})


def _judge_first(cue: Cue) -> Reply:
    """A judge that prefers whichever answer comes first."""
    names = [name.upper() for name, _ in _PAIR.findall(cue.ask.prompt)]
    return _verdict({"reason": "The first is better.", "winner": names[0] if names else "A"})


def _preferring(held: dict[str, int]) -> Reply:
    (first, left), (second, right) = held.items()
    winner = "tie" if left == right else first if left > right else second
    return _verdict({"reason": f"{first} holds {left} of the quoted texts, {second} holds {right}.", "winner": winner})


def _held(text: str, wanted: list[str]) -> int:
    return sum(each in text.lower() for each in wanted)


def _taken_apart(prompt: str) -> tuple[str, str]:
    """The rubric and the answer; without marks, all of the prompt is both."""
    rubric, output = _RUBRIC.search(prompt), _OUTPUT.search(prompt)
    line = None if rubric else _RUBRIC_LINE.search(prompt)
    judged = prompt[: line.start()] if line else prompt
    return (
        rubric[1] if rubric else prompt[line.end() :] if line else prompt,
        output[1] if output else judged,
    )


def _verdict(value: dict[str, Any]) -> Reply:
    return Reply(text=msgspec.json.encode(value).decode())


BEHAVIOURS: dict[tuple[str, int], Behaviour] = {
    ("right", 1): _right,
    ("judge", 0): _judge,
    ("judge-first", 0): _judge_first,
}
