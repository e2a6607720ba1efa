"""Stored responses: `previous_response_id`, and what can be asked of a response later.

A response is pinned to its user. Where the provider keeps it, it is pinned to the credential, too, and we
remember no more than that; where the provider cannot, we keep the conversation ourselves, encrypted.
"""

from ownkey.gateway.responses.continuing import check, continued
from ownkey.gateway.responses.recording import Recorder, Recording
from ownkey.gateway.responses.serving import ResponseService
from ownkey.gateway.responses.store import ResponseStore

__all__ = ["Recorder", "Recording", "ResponseService", "ResponseStore", "check", "continued"]
