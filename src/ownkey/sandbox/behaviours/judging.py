"""Models that grade, by what an answer contains, so that every verdict is predictable; and models that know a share.

Graders read the last user message in two notations: Ownkey's own, where each text stands between `<<<NAME mark` and
`mark NAME>>>`, and promptfoo's `<Output>` and `<Rubric>`.
"""

import re
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import msgspec

from ownkey.sandbox.behaviours.invocation import Behaviour, Invocation, answer_in, verdict_in
from ownkey.sandbox.chat import Reply

_QUOTED = re.compile(r'"([^"\n]+)"')
_MARKED = re.compile(r"<<<(?P<name>[A-Z]+) (?P<mark>\S+)\n(?P<text>.*?)\n(?P=mark) (?P=name)>>>", re.DOTALL)
_TAGGED = re.compile(r"<(?P<name>Output|Rubric)>(?P<text>.*?)</(?P=name)>", re.DOTALL | re.IGNORECASE)
_PROMPTFOOS = {"OUTPUT": "ANSWER"}


def _judge(invocation: Invocation) -> Reply:
    """A verdict as JSON: that of a `sandbox:verdict`, else by whether an answer holds what is wanted.

    Of FIRST and SECOND the one that holds more of it is better. An ANSWER passes when it holds all.
    """
    prompt = invocation.chat.prompt
    directed = verdict_in(prompt)
    if directed is not None:
        return Reply(text=directed)
    texts = _texts(prompt)
    wanted = [text.lower() for text in _wanted(texts)]
    if "FIRST" in texts and "SECOND" in texts:
        first, second = (_held(texts[name], wanted) for name in ("FIRST", "SECOND"))
        better = "tie" if first == second else "first" if first > second else "second"
        reason = f"The first holds {first} of {len(wanted)} texts wanted, the second {second}."
        return _verdict({"reason": reason, "better": better})
    answered = texts.get("ANSWER", prompt).lower()
    missing = [text for text in wanted if text not in answered]
    reason = f"The answer lacks {missing[0]!r}." if missing else "The answer holds all that is wanted."
    return _verdict({"reason": reason, "score": 0.0 if missing else 1.0, "pass": not missing})


def _judge_first(invocation: Invocation) -> Reply:
    """Prefers whichever answer comes first, as biased judges do; what stands alone is graded as `judge` grades it."""
    if "FIRST" in _texts(invocation.chat.prompt):
        return _verdict({"reason": "The first is better.", "better": "first"})
    return _judge(invocation)


def _texts(prompt: str) -> dict[str, str]:
    """The quoted texts by name."""
    found = {match["name"]: match["text"] for match in _MARKED.finditer(prompt)}
    if not found:
        for match in _TAGGED.finditer(prompt):
            name = match["name"].upper()
            found[_PROMPTFOOS.get(name, name)] = match["text"]
    return found


def _wanted(texts: dict[str, str]) -> Sequence[str]:
    """What the rubric has in double quotes; without a rubric the reference, or the answer in the question."""
    if "RUBRIC" in texts:
        return _QUOTED.findall(texts["RUBRIC"])
    known = texts.get("REFERENCE") or answer_in(texts.get("QUESTION", ""))
    return [known.strip()] if known else ()


def _held(text: str, wanted: Sequence[str]) -> int:
    return sum(each in text.lower() for each in wanted)


def _verdict(value: dict[str, Any]) -> Reply:
    return Reply(text=msgspec.json.encode(value).decode())


IGNORANCE = "I do not know."


def _right(invocation: Invocation) -> Reply:
    """The answer the prompt directs to, in `number` percent of all prompts. The same prompt and seed fall alike.

    One draw in [0, 100) belongs to each prompt, so that `right-80` knows all that `right-60` knows.
    """
    known = answer_in(invocation.chat.prompt)
    drawn = sha256(f"{invocation.seed}\n{invocation.chat.prompt}".encode()).digest()
    luck = 100 * int.from_bytes(drawn[:6]) / 2**48
    return Reply(text=known if known is not None and luck < invocation.number else IGNORANCE)


BEHAVIOURS: dict[tuple[str, int], Behaviour] = {
    ("judge", 0): _judge,
    ("judge-first", 0): _judge_first,
    ("right", 1): _right,
}
"""By the word in the name and how many numbers follow it."""
