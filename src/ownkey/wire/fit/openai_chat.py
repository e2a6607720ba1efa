"""Rules for requests in OpenAI's chat format."""

from ownkey.wire.fit.fitting import Fitting, Places

PLACES: Places = {}


def thinks(fitting: Fitting) -> bool:
    return fitting.get("reasoning_effort") not in (None, "none")


def fit(fitting: Fitting) -> None:
    """The rules of this format beyond those of single fields."""
