"""No test fails because the machine is slow: what waits by a default of a library waits long.

A limit that a test is about is given in the test itself.
"""

import httpx2
from httpx2 import _config
from hypothesis import HealthCheck, settings

_SECONDS = 60.0
_HASTY = (HealthCheck.too_slow,)

# Clients made without a limit take this object's: five seconds otherwise.
for _each in ("connect", "read", "write", "pool"):
    setattr(_config.DEFAULT_TIMEOUT_CONFIG, _each, _SECONDS)
settings.register_profile("ownkey", deadline=None, suppress_health_check=_HASTY)
settings.load_profile("ownkey")


def pytest_configure() -> None:
    assert httpx2.Client(trust_env=False).timeout.read == _SECONDS, "httpx2 keeps its default elsewhere"
