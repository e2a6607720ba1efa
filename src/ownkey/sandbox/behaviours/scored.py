"""Models that are right in a known share of prompts."""

from hashlib import sha256

from ownkey.sandbox.directions import answer_in
from ownkey.sandbox.scene import Behaviour, Cue
from ownkey.sandbox.turn import Reply

IGNORANCE = "I do not know."


def _right(cue: Cue) -> Reply:
    """The answer the prompt directs to, in `number` percent of all prompts. The same prompt and seed fall alike.

    One draw in [0, 100) belongs to each prompt, so that `right-80` knows all that `right-60` knows.
    """
    told = answer_in(cue.ask.prompt)
    drawn = sha256(f"{cue.seed}\n{cue.ask.prompt}".encode()).digest()
    luck = 100 * int.from_bytes(drawn[:6]) / 2**48
    return Reply(text=told if told is not None and luck < cue.number else IGNORANCE)


BEHAVIOURS: dict[tuple[str, int], Behaviour] = {("right", 1): _right}
