"""The limits of a session: strict without an account, generous with one."""

from msgspec import Struct

_HOUR = 3600.0
_DAY = 24 * _HOUR


class Limits(Struct, frozen=True, kw_only=True):
    """Bounds of one session. `session_s` is how long it lives; sizes are bytes, times milliseconds.

    `run_ms_per_prompt` makes a run's time limit: of ten prompts five minutes without an account; None is no limit.
    """

    session_s: float
    targets: int
    suites: int
    suite_bytes: int
    suite_prompts: int
    prompt_characters: int
    runs: int
    runs_at_once: int
    calls_a_run: int
    concurrency: int
    max_tokens: int
    timeout_ms: float
    run_ms_per_prompt: float | None
    tests_a_minute: int
    chats_a_minute: int
    uploads_a_minute: int


SESSIONS_AN_HOUR = 30
"""Without an account, of one address: erasing and beginning again is no way around the other limits."""

ANONYMOUS = Limits(
    session_s=_HOUR,
    targets=6,
    suites=5,
    suite_bytes=1024 * 1024,
    suite_prompts=100,
    prompt_characters=20_000,
    runs=20,
    runs_at_once=1,
    calls_a_run=200,
    concurrency=4,
    max_tokens=4096,
    timeout_ms=60_000.0,
    run_ms_per_prompt=30_000.0,
    tests_a_minute=10,
    chats_a_minute=10,
    uploads_a_minute=10,
)

ACCOUNT = Limits(
    session_s=30 * _DAY,
    targets=100,
    suites=200,
    suite_bytes=30 * 1024 * 1024,
    suite_prompts=20_000,
    prompt_characters=2_000_000,
    runs=1000,
    runs_at_once=8,
    calls_a_run=200_000,
    concurrency=200,
    max_tokens=128_000,
    timeout_ms=600_000.0,
    run_ms_per_prompt=None,
    tests_a_minute=20,
    chats_a_minute=60,
    uploads_a_minute=60,
)
