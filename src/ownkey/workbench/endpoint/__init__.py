"""Asking a model and taking the time.

request        a chat completion request for what the endpoint can do
transport      how it leaves, and how the answer comes, byte by byte with times
answer         the answer's content and when it came
call, caller   one call; one model as the engine asks it
speaking       an answer told as it comes
embedding      vectors of texts
usage          tokens and cost
failures       every way a call fails; `advice` what to do about it
addresses      a pasted base URL, understood; `trusted` those the operator answers for
presets        endpoints people know by name
check, probes  what an endpoint can do; `model_list` what it offers
"""

from ownkey.workbench.endpoint.call import Clock
from ownkey.workbench.endpoint.caller import EmbeddingCaller, EmbeddingRefused, EndpointCaller
from ownkey.workbench.endpoint.check import ConnectionCheck, Step, check_connection
from ownkey.workbench.endpoint.failures import advice
from ownkey.workbench.endpoint.presets import Preset, preset_named, presets
from ownkey.workbench.endpoint.probes import speak
from ownkey.workbench.endpoint.transport import (
    DirectTransport,
    TimedReply,
    Transport,
    operators_base_urls,
    read_base_url,
)

__all__ = [
    "Clock",
    "ConnectionCheck",
    "DirectTransport",
    "EmbeddingCaller",
    "EmbeddingRefused",
    "EndpointCaller",
    "Preset",
    "Step",
    "TimedReply",
    "Transport",
    "advice",
    "check_connection",
    "operators_base_urls",
    "preset_named",
    "presets",
    "read_base_url",
    "speak",
]
