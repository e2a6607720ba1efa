"""What the simulated models do: from a neutral question to a neutral reply.

`model_name` tells what a model's name asks for; any unknown name echoes. Each module here holds one idea:

    answering    the content: echoes, filler, reasoning, structured output
    tooling      calls of tools
    failing      errors, broken transport, silence
    partial      endpoints that cannot do all, or do not tell the truth
    scored       answers that are right in a known share of prompts
    judging      verdicts on others' answers
    limiting     stop sequences and the limit of tokens, which apply to all
"""

from ownkey.sandbox.behaviours import answering, failing, judging, partial, scored, tooling
from ownkey.sandbox.behaviours.limiting import apply_limit, apply_stop
from ownkey.sandbox.errors import Problem, Refused
from ownkey.sandbox.keys import KeyIdentity
from ownkey.sandbox.model_name import last_segment, parse_model_name
from ownkey.sandbox.scene import Behaviour, Cue, Scene, echo
from ownkey.sandbox.turn import Ask, Reply

__all__ = ["MODEL_NAMES", "last_segment", "reply_to"]

_BEHAVIOURS: dict[tuple[str, int], Behaviour] = {
    **answering.BEHAVIOURS,
    **tooling.BEHAVIOURS,
    **failing.BEHAVIOURS,
    **partial.BEHAVIOURS,
    **scored.BEHAVIOURS,
    **judging.BEHAVIOURS,
}

MODEL_NAMES = (
    *("echo", "lorem-100", "think-20", "reason-20", "tool", "tools", "json", "cached", "empty", "chunk-4"),
    *("refuse", "filter", "slow-1000", "flaky-3", "error-429", "error-500", "error-200", "error-echo-key"),
    *("stream-error", "stream-echo-key", "cut", "garbage", "html", "redirect", "hang", "hang-3"),
    *("no-stream", "no-system", "no-usage", "liar", "new-limits", "small-context-100", "right-80", "judge"),
)
"""The names shown in model lists; numbers may be changed at will."""


def reply_to(ask: Ask, key: KeyIdentity | None, scene: Scene) -> Reply:
    """The reply of the model that `ask` names, within the limits it sets. Raises Refused."""
    try:
        name = parse_model_name(ask.model)
    except ValueError as error:
        raise Refused(Problem(status=400, message=f"model: {error}", param="model")) from error
    seed = scene.seed if name.timing is None or name.timing.seed is None else name.timing.seed
    behaviour = _BEHAVIOURS.get((name.word, len(name.numbers)), echo)
    reply = behaviour(Cue(ask, name.numbers, key, scene, seed))
    if ask.stop:
        apply_stop(reply, ask.stop)
    if ask.max_tokens is not None:
        apply_limit(reply, ask.max_tokens)
    if name.timing is not None:
        reply.timing = name.timing
        reply.chunk = max(reply.chunk, name.chunk)
    if reply.chunk > 1 and ask.stream:
        _join_pieces(reply)
    return reply


def _join_pieces(reply: Reply) -> None:
    """Let each piece of the text carry `chunk` tokens; their number stays what it was."""
    pieces = reply.text_pieces()
    reply.size = len(pieces)
    starts = range(0, len(pieces), reply.chunk)
    reply.pieces = ["".join(pieces[at : at + reply.chunk]) for at in starts]
