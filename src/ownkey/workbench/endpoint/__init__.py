"""Calls a model and measures the time.

request        a chat completion request for what the endpoint supports
transport      how it is sent and how the answer arrives, byte by byte with times; a pasted base URL
answer         the answer's content, its times and its usage
call, caller   one call; one model as the engine calls it, for answers or embeddings
failures       every way a call fails; `advice` what to do about it
presets        endpoints people know by name
check, probes  what an endpoint supports
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
