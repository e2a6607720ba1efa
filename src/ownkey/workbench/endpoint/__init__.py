"""Asking a model and taking the time.

request        a chat completion request for what the endpoint can do
transport      how it leaves, and how the answer comes, byte by byte with times
answer         the answer's content and when it came
call, caller   one call; one model as the engine asks it
usage          tokens and cost
failures       every way a call fails; `advice` what to do about it
addresses      a pasted base URL, understood
presets        endpoints people know by name
check, probes  what an endpoint can do
"""

from ownkey.workbench.endpoint.advice import advice
from ownkey.workbench.endpoint.caller import EndpointCaller
from ownkey.workbench.endpoint.clock import Clock
from ownkey.workbench.endpoint.transport import DirectTransport, TimedReply, Transport

__all__ = [
    "Clock",
    "DirectTransport",
    "EndpointCaller",
    "TimedReply",
    "Transport",
    "advice",
]
