"""The data plane: every model call passes here. Others use `Gateway` and the names beside it."""

from ownkey.gateway.edge.strict_json import read_object
from ownkey.gateway.face import Gateway
from ownkey.gateway.inner import InnerAnswer
from ownkey.gateway.key_test import KeyTestResult
from ownkey.gateway.learned import LearnedFact
from ownkey.gateway.secrets import credential_place

__all__ = ["Gateway", "InnerAnswer", "KeyTestResult", "LearnedFact", "credential_place", "read_object"]
