"""A simulator of the LLM providers, for trying Ownkey without a key, for tests and for load.

Every provider is served under `/<provider>` and that provider's own path, in that vendor's shapes:

    bytes ─ http/connection ─ app: route → key → handler (formats/) → Answer or EventStream ─ http/ ─ bytes

`behaviours` decide what a simulated model replies, in neutral terms; a module in `formats` says it in
one wire format; `vendors` holds what differs between providers as rows of data.
"""

from ownkey.sandbox.distributions import Distribution, parse_distribution
from ownkey.sandbox.options import Options
from ownkey.sandbox.server import SandboxServer, run, serve

__all__ = ["Distribution", "Options", "SandboxServer", "parse_distribution", "run", "serve"]
