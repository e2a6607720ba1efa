"""Sizes and deadlines of incoming requests. They hold for every path, data plane or not."""

import msgspec


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sizes in bytes, times in seconds."""

    body: int = 32 * 1024 * 1024
    """Largest body on a data-plane path."""
    other_body: int = 2 * 1024 * 1024
    """Largest body on any other path."""
    large: frozenset[str] = frozenset()
    """Other paths whose bodies may be as large as the data plane's."""
    buffered: int = 512 * 1024 * 1024
    """Bodies held in this process for requests not yet answered; beyond it new bodies get 503."""
    head: int = 64 * 1024
    """Request line and header fields together."""
    field: int = 16 * 1024
    """One header field, name and value."""
    fields: int = 100
    """How many header fields."""
    target: int = 8 * 1024
    """The request target (path and query)."""
    pipelined: int = 64
    """Requests waiting on one connection behind the one being answered."""
    head_seconds: float = 15.0
    """From the first byte of a head to its last; also for the first byte on a new connection."""
    body_seconds: float = 30.0
    """Time for a body, plus one second for each `body_rate` bytes that arrived."""
    body_rate: int = 32 * 1024
    """Slowest tolerated body, in bytes a second."""
    stall_seconds: float = 120.0
    """How long a client may take nothing of an answer that waits for it."""
    linger_seconds: float = 20.0
    """How long a closing connection is read on, so that the client gets to read the answer."""
