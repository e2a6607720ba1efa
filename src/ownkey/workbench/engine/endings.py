"""How the carrying out of a run ended."""

from enum import StrEnum


class Ending(StrEnum):
    """Why no further call was made."""

    FINISHED = "finished"
    STOPPED = "stopped"
    OUT_OF_TIME = "out_of_time"
    OUT_OF_MONEY = "out_of_money"
