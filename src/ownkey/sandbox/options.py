"""Settings of a sandbox server."""

from collections.abc import Mapping

from msgspec import Struct

from ownkey.sandbox.distributions import Distribution

MEBIBYTE = 1024 * 1024


class Options(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How fast and how varied the sandbox answers.

    `ttft_ms` is the time to first byte in milliseconds. `tokens_per_second` paces the tokens after
    it; 0 sends as fast as the reader takes them. With a `seed`, both vary by up to a quarter, the
    same way for the same seed and request number. `ttft` and `gap` take their places with
    distributions: of the time to first byte, and of the time before each further token.

    `body_limit` is in bytes. `recent_requests` and `recent_bytes` bound the debugging log.
    Connections idle for `idle_timeout_s` are closed, which is looked after every `sweep_s`.
    Stopping waits `grace_s` for answers under way. `models` adds names to a provider's model list.
    """

    ttft_ms: float = 0.0
    tokens_per_second: float = 0.0
    seed: int | None = None
    ttft: Distribution | None = None
    gap: Distribution | None = None
    body_limit: int = 40 * MEBIBYTE
    recent_requests: int = 512
    recent_bytes: int = 64 * MEBIBYTE
    idle_timeout_s: float = 75.0
    sweep_s: float = 5.0
    grace_s: float = 3.0
    models: Mapping[str, tuple[str, ...]] = {}
