"""The features of the matrix: a question, the simulated model that it goes to, and what the answer must show.

The simulator counts tokens as `ownkey.sandbox.tokens` does, so the usage proves that the whole question
arrived: the system text, earlier turns and the picture are in the count.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

from tests.acceptance.matrix.questions import Question, Seen

from ownkey.sandbox import tokens

SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 18}},
    "required": ["name", "age"],
    "additionalProperties": False,
}
OVERHEAD = 12
"""How many tokens more than the text a format may count, for the marks it puts around messages."""


@dataclass(frozen=True)
class Feature:
    """`status` is that of the answer. `then` asks a second time: the first answer goes back with tool results or a
    prompt behind it, and the second one is checked."""

    name: str
    model: str
    question: Question
    check: Callable[[Seen, bool], None]
    then: str | None = None
    status: int = 200
    streamed: tuple[bool, ...] = (False, True)


def _counted(question: Question) -> int:
    texts = [question.prompt, question.system or "", *(said for turn in question.history for said in turn)]
    return sum(map(tokens.count, texts)) + (tokens.IMAGE_TOKENS if question.image else 0)


def _echoes(question: Question) -> Callable[[Seen, bool], None]:
    def check(seen: Seen, streamed: bool) -> None:
        assert (seen.text, seen.stop, seen.error) == (question.prompt, "end", None)
        assert seen.output == tokens.count(question.prompt)
        assert seen.input is not None
        assert _counted(question) <= seen.input <= _counted(question) + OVERHEAD

    return check


def _calls(*names: str) -> Callable[[Seen, bool], None]:
    def check(seen: Seen, streamed: bool) -> None:
        assert [name for name, _ in seen.calls] == list(names)
        assert all(set(arguments) == {"city"} for _, arguments in seen.calls)
        assert seen.stop == ("tool" if names else "end")

    return check


def _says(text: str) -> Callable[[Seen, bool], None]:
    def check(seen: Seen, streamed: bool) -> None:
        assert (seen.text, seen.calls, seen.stop) == (text, (), "end")

    return check


def _streams(seen: Seen, streamed: bool) -> None:
    assert seen.pieces > 1
    assert (tokens.count(seen.text), seen.output, seen.stop) == (50, 50, "end")


def _obeys_schema(seen: Seen, streamed: bool) -> None:
    assert set(json.loads(seen.text)) == {"name", "age"}


def _is_json(seen: Seen, streamed: bool) -> None:
    assert isinstance(json.loads(seen.text), dict)


def _reasons(seen: Seen, streamed: bool) -> None:
    assert tokens.count(seen.reasoning) == 12
    assert seen.text == "one two three four"


def _answers_again(seen: Seen, streamed: bool) -> None:
    """The simulator refuses reasoning whose signature is not the one it gave."""
    assert (seen.text, seen.stop) == ("one two three four", "end")


def _stops_early(seen: Seen, streamed: bool) -> None:
    assert seen.text.strip() == "one two"
    assert seen.stop in ("end", "stop_sequence")


def _is_cut_short(seen: Seen, streamed: bool) -> None:
    assert (tokens.count(seen.text), seen.output, seen.stop) == (16, 16, "length")


def _is_refused(seen: Seen, streamed: bool) -> None:
    assert (seen.stop, seen.error) == ("refusal", None)


def _counts_cached(seen: Seen, streamed: bool) -> None:
    assert seen.input is not None
    assert seen.cached == seen.input // 2 > 0


def _fails(seen: Seen, streamed: bool) -> None:
    assert seen.error


_SYSTEM = Question(system="Answer in the style of a pirate")
_TURNS = Question(prompt="and now", history=(("good morning", "good morning to you"), ("how are you", "very well")))
_IMAGE = Question(image=True)
_BOTH = ("get_weather", "get_time")

FEATURES = (
    Feature("text", "echo", Question(), _echoes(Question())),
    Feature("system", "echo", _SYSTEM, _echoes(_SYSTEM)),
    Feature("multi-turn", "echo", _TURNS, _echoes(_TURNS)),
    Feature("images", "echo", _IMAGE, _echoes(_IMAGE)),
    Feature("tools: auto", "tool", Question(tools=_BOTH, choice="auto"), _calls("get_weather")),
    Feature("tools: any", "tool", Question(tools=_BOTH, choice="any"), _calls("get_weather")),
    Feature("tools: forced", "tool", Question(tools=_BOTH, choice="get_time"), _calls("get_time")),
    Feature("tools: none", "tool", Question(tools=_BOTH, choice="none"), _calls()),
    Feature("tools: parallel", "tools", Question(tools=_BOTH), _calls(*_BOTH)),
    Feature("tools: one at a time", "tools", Question(tools=_BOTH, parallel=False), _calls("get_weather")),
    Feature("tool results", "tools", Question(tools=_BOTH), _says("rain\nnoon"), then="results"),
    Feature("JSON schema", "json", Question(schema=SCHEMA), _obeys_schema),
    Feature("JSON, any", "json", Question(any_json=True), _is_json),
    Feature("reasoning", "think-12", Question(think=True), _reasons),
    Feature("reasoning returned", "think-12", Question(think=True), _answers_again, then="prompt"),
    Feature("stop sequences", "echo", Question(prompt="one two END three", stop=("END",)), _stops_early),
    Feature("length stop", "lorem-50", Question(max_tokens=16), _is_cut_short),
    Feature("refusal", "refuse", Question(), _is_refused),
    Feature("cached tokens", "cached", Question(prompt="one two three four five six"), _counts_cached),
    Feature("top_k", "echo", Question(top_k=5), _echoes(Question())),
    Feature("several answers", "echo", Question(choices=2), lambda seen, streamed: None, streamed=(False,)),
    Feature("streaming", "lorem-50", Question(), _streams, streamed=(True,)),
    Feature("mid-stream error", "stream-error", Question(), _fails, streamed=(True,)),
    Feature("upstream error", "error-404", Question(), _fails, status=404),
)
