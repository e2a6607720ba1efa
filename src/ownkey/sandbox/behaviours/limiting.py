"""What a request's stop sequences and limit of tokens make of a reply."""

from collections.abc import Sequence

from ownkey.sandbox import tokens
from ownkey.sandbox.turn import Call, Finish, Reply


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
