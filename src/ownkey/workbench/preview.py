"""What a run may cost, estimated before it starts: the tested models, the judge, the embeddings.

Nothing is known of future answers, so there are two amounts. The likely one assumes four bytes per token,
and answers of two fifths of `max_tokens`. The most is bounded without knowing a tokenizer, as a purse bounds it: at
most one token per byte. For future answers, which a judge or an embedding model reads, it assumes twenty bytes per
token.
"""

from msgspec import Struct

from ownkey.workbench.engine import likely_input, most_input, sampling_for, warm_ups_of
from ownkey.workbench.graders.finding import BadCheck
from ownkey.workbench.graders.judge import SAMPLING as VERDICT
from ownkey.workbench.graders.measures import MAX_EMBEDDED, read_similar
from ownkey.workbench.graders.questions import MAX_QUOTED, preference_question, rubric_question
from ownkey.workbench.records import Check, Message, Prices, Prompt, RunPlan, Sampling

_LIKELY_ANSWER = 0.4
"""The share of `max_tokens` that the preview takes an answer to have."""
_LIKELY_VERDICT = 200
"""Tokens of a judge's answer: a few sentences, and the JSON object."""
_MOST_BYTES = 20
"""Of a token in an answer, on average; long runs of blanks aside."""
_BYTES_PER_CHARACTER = 4
_MARK = "0" * 16


class Share(Struct, frozen=True):
    """Calls of one kind, and what they are likely to cost and cost at most, in nano-dollars. None: no price."""

    calls: int = 0
    likely: int | None = 0
    most: int | None = 0


class Preview(Struct, frozen=True):
    """What a run may cost, for one try of each call, warm-up included."""

    answers: Share
    judge: Share
    embeddings: Share

    @property
    def likely(self) -> int | None:
        """Nano-dollars in all; None where a price is missing."""
        return _sum(self.answers.likely, self.judge.likely, self.embeddings.likely)

    @property
    def most(self) -> int | None:
        """Nano-dollars in all; None where a price is missing."""
        return _sum(self.answers.most, self.judge.most, self.embeddings.most)


class _Size(Struct, frozen=True):
    """Tokens in and out of one call: likely, and at most."""

    likely: tuple[int, int]
    most: tuple[int, int]


class Estimate:
    """Accepts the prompts of a run's suite in their order, and estimates what the run may cost."""

    def __init__(self, plan: RunPlan) -> None:
        self._plan = plan
        self._position = 0
        self._answers = self._judge = self._embeddings = Share()

    def add(self, prompt: Prompt) -> bool:
        """Count a prompt; False when the run asks no more of them."""
        plan = self._plan
        if self._position >= plan.prompts:
            return False
        calls = plan.repeats + warm_ups_of(plan, self._position)
        self._position += 1
        sampling = sampling_for(prompt, plan.sampling)
        asked = _size(prompt.messages, sampling)
        for target in plan.targets:
            self._answers = _more(self._answers, calls, target.prices, asked)
        self._add_grading(prompt, sampling)
        return True

    def preview(self) -> Preview:
        """What the prompts so far may cost."""
        return Preview(self._answers, self._judge, self._embeddings)

    def _add_grading(self, prompt: Prompt, sampling: Sampling) -> None:
        plan = self._plan
        answers = plan.repeats * len(plan.targets)
        for check in prompt.checks:
            kind = check.type.removeprefix("not-")
            if kind == "llm-rubric" and plan.judge is not None:
                question = rubric_question(prompt, "", str(check.value), _MARK)
                self._judge = _more(self._judge, answers, plan.judge_prices, _judged(question, 1, sampling))
            elif kind == "similar" and plan.embedding_model is not None:
                self._embeddings = _more(self._embeddings, answers, plan.embedding_prices, _embedded(check, sampling))
        if plan.judge is not None:
            # Each other model's answer with the first model's, in both orders.
            pairs = 2 * (len(plan.targets) - 1)
            question = preference_question(prompt, "", "", _MARK)
            self._judge = _more(self._judge, pairs, plan.judge_prices, _judged(question, 2, sampling))


def _size(messages: tuple[Message, ...], sampling: Sampling) -> _Size:
    return _Size((likely_input(messages), _likely_answer(sampling)), (most_input(messages), sampling.max_tokens))


def _judged(question: tuple[Message, ...], answers: int, sampling: Sampling) -> _Size:
    """A question to the judge with so many answers in it that are not there yet."""
    usual = likely_input(question) + answers * _likely_answer(sampling)
    longest = most_input(question) + answers * _most_bytes(sampling, MAX_QUOTED)
    return _Size((usual, _LIKELY_VERDICT), (longest, VERDICT.max_tokens))


def _embedded(check: Check, sampling: Sampling) -> _Size:
    """An answer that is not there yet, and the texts it is compared with."""
    try:
        texts = tuple(Message("", text) for text in read_similar(check)[0])
    except BadCheck:
        return _Size((0, 0), (0, 0))
    answer = _most_bytes(sampling, MAX_EMBEDDED)
    return _Size((likely_input(texts) + _likely_answer(sampling), 0), (most_input(texts) + answer, 0))


def _likely_answer(sampling: Sampling) -> int:
    return int(sampling.max_tokens * _LIKELY_ANSWER)


def _most_bytes(sampling: Sampling, characters: int) -> int:
    return min(sampling.max_tokens * _MOST_BYTES, characters * _BYTES_PER_CHARACTER)


def _more(share: Share, calls: int, prices: Prices | None, size: _Size) -> Share:
    if not calls:
        return share
    if prices is None:
        return Share(share.calls + calls, None, None)
    usual, longest = (calls * prices.cost(*tokens) for tokens in (size.likely, size.most))
    return Share(share.calls + calls, _sum(share.likely, usual), _sum(share.most, longest))


def _sum(*amounts: int | None) -> int | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if len(known) == len(amounts) else None
