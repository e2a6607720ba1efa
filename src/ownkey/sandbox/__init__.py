"""A simulator of the LLM providers, for trying Ownkey without a key, for tests and for load.

Every provider is served under `/<provider>` and that provider's own path, in that vendor's shapes:

    bytes ─ connection ─ app: route → key → handler (formats/) → Answer or EventStream ─ pump ─ bytes

`rules` are what the vendors refuse; `behaviours` decide what a simulated model replies, in neutral terms (`chat`); a
module in `formats` writes it in one wire format; `vendors` holds what differs between providers as rows of data;
`state` is what lasts.
"""

from ownkey.sandbox.options import Distribution, Options, parse_distribution
from ownkey.sandbox.server import SandboxServer, run, serve

__all__ = ["Distribution", "Options", "SandboxServer", "parse_distribution", "run", "serve"]
