"""What the simulated models do: from a neutral chat request to a neutral reply.

    invocation   a model's name taken apart, and the directives in the user's text
    answering    echoes, filler, reasoning, structured output, calls of tools
    failing      errors, broken transport, silence; endpoints that cannot do all, or report falsely
    judging      verdicts on others' answers, and answers right in a known share of prompts

Any unknown name echoes. Stop sequences and the limit of tokens apply to all.
"""

from collections.abc import Sequence

from ownkey.sandbox import tokens
from ownkey.sandbox.behaviours import answering, failing, judging
from ownkey.sandbox.behaviours.invocation import Behaviour, Invocation, echo, last_segment, parse_model_name
from ownkey.sandbox.chat import Call, ChatRequest, Finish, Reply
from ownkey.sandbox.errors import Problem, Refused
from ownkey.sandbox.keys import KeyIdentity
from ownkey.sandbox.state import State

__all__ = ["MODEL_NAMES", "last_segment", "reply_to"]

_BEHAVIOURS: dict[tuple[str, int], Behaviour] = {
    **answering.BEHAVIOURS,
    **failing.BEHAVIOURS,
    **judging.BEHAVIOURS,
}

MODEL_NAMES = (
    *("echo", "lorem-100", "think-20", "reason-20", "tool", "tools", "json", "cached", "empty", "chunk-4"),
    *("refuse", "filter", "slow-1000", "flaky-3", "error-429", "error-500", "error-200", "error-echo-key"),
    *("stream-error", "stream-echo-key", "cut", "garbage", "html", "redirect", "hang", "hang-3"),
    *("no-stream", "no-system", "no-usage", "liar", "new-limits", "small-context-100", "right-80", "judge"),
)
"""The names shown in model lists; numbers may be changed at will."""


def reply_to(chat: ChatRequest, key: KeyIdentity | None, state: State) -> Reply:
    """The reply of the model that `chat` names, within the limits it sets. Raises Refused."""
    try:
        name = parse_model_name(chat.model)
    except ValueError as error:
        raise Refused(Problem(status=400, message=f"model: {error}", param="model")) from error
    seed = state.seed if name.timing is None or name.timing.seed is None else name.timing.seed
    behaviour = _BEHAVIOURS.get((name.word, len(name.numbers)), echo)
    reply = behaviour(Invocation(chat, name.numbers, key, state, seed))
    if chat.stop:
        apply_stop(reply, chat.stop)
    if chat.max_tokens is not None:
        apply_limit(reply, chat.max_tokens)
    if name.timing is not None:
        reply.timing = name.timing
        reply.chunk = max(reply.chunk, name.chunk)
    if reply.chunk > 1 and chat.stream:
        _join_pieces(reply)
    return reply


def _join_pieces(reply: Reply) -> None:
    """Let each piece of the text carry `chunk` tokens; their number stays what it was."""
    pieces = reply.text_pieces()
    reply.size = len(pieces)
    starts = range(0, len(pieces), reply.chunk)
    reply.pieces = ["".join(pieces[at : at + reply.chunk]) for at in starts]


def apply_stop(reply: Reply, stops: Sequence[str]) -> None:
    """End the text before the first stop sequence in it."""
    found = [(at, stop) for stop in stops if stop and (at := reply.text.find(stop)) >= 0]
    if found:
        at, reply.stop_sequence = min(found)
        reply.cut_text(at)
        reply.finish = Finish.STOP_SEQUENCE


def apply_limit(reply: Reply, limit: int) -> None:
    """Spend `limit` tokens on reasoning first, then on text, then on calls, as a model would."""
    if reply.output_tokens() <= limit:
        return
    reply.finish, reply.stop_sequence = Finish.LENGTH, None
    reply.thinking = reply.thinking[:limit]
    limit -= len(reply.thinking)
    pieces = reply.text_pieces()[:limit]
    reply.text, reply.pieces, reply.size = "".join(pieces), pieces, len(pieces)
    limit -= len(pieces)
    kept: list[Call] = []
    for call in reply.calls:
        if limit > 0:
            pieces = tokens.split(call.arguments)[:limit]
            kept.append(Call(call.name, "".join(pieces)))
            limit -= len(pieces)
    reply.calls = kept
