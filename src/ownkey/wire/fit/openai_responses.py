"""Rules for requests in OpenAI's responses format."""

from ownkey.wire.fit.fitting import Fitting, Places
from ownkey.wire.fit.openai_chat import fit_effort

PLACES: Places = {
    "max_tokens": (("max_output_tokens",),),
    "reasoning_effort": (("reasoning", "effort"),),
    "response_format": (("text", "format"),),
}


def thinks(fitting: Fitting) -> bool:
    return fitting.get("reasoning_effort") not in (None, "none")


def fit(fitting: Fitting) -> None:
    """The rules of this format beyond those of single fields."""
    facts = fitting.facts.thinking
    if facts is not None and not facts.ways and fitting.get("reasoning") is not None:
        fitting.leave_out("reasoning")
    fit_effort(fitting)
