"""Limits of the upstream client. Times are in seconds, sizes in bytes."""

from os import PathLike

from msgspec import Struct

from ownkey.gateway.net.egress import EgressProxy


class Timeouts(Struct, frozen=True, gc=False):
    """How long each phase of one request may take.

    `queue` waits for a free connection when the origin is at its limit; `connect` covers name
    resolution, TCP and TLS together; `first_byte` runs from the moment the request is written to
    the end of the response's head; `idle` is the longest silence between two pieces of a body, in
    either direction; `total` bounds the exchange from the first byte written to the last read.
    """

    queue: float = 5.0
    connect: float = 5.0
    first_byte: float = 300.0
    idle: float = 300.0
    total: float = 3600.0


class NetSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What holds for all requests of one client; the times are those of `Timeouts`.

    `egress_proxy` is what connections go through, but for those it exempts.
    `ca_file` is a PEM file of authorities trusted besides the system's.
    `high_water` is where a response nobody reads stops being taken from the socket.
    `idle_lifetime` is kept below the keep-alive time of common servers, so that a pooled
    connection is rarely closed by the other side while we write to it. `rest_after_stream` is for how long a connection
    rests after a streamed answer, until the origin is known to keep it open. `max_header_line` counts
    name and value. `framing_limit` bounds the bytes between two pieces of body (chunk sizes,
    extensions, trailers).
    """

    queue_timeout: float = 5.0
    connect_timeout: float = 5.0
    first_byte_timeout: float = 300.0
    idle_timeout: float = 300.0
    total_timeout: float = 3600.0
    max_connections_per_origin: int = 2048
    max_idle_per_origin: int = 256
    idle_lifetime: float = 20.0
    rest_after_stream: float = 0.1
    max_head_bytes: int = 64 * 1024
    max_header_line: int = 16 * 1024
    max_headers: int = 128
    max_interim_responses: int = 16
    framing_limit: int = 16 * 1024
    high_water: int = 64 * 1024
    max_addresses_tried: int = 4
    resolver_threads: int = 8
    resolver_cache_seconds: float = 5.0
    resolver_cache_entries: int = 512
    ca_file: str | PathLike[str] | None = None
    egress_proxy: EgressProxy | None = None

    def timeouts(self) -> Timeouts:
        """The times of a request that brings none of its own."""
        return Timeouts(
            queue=self.queue_timeout,
            connect=self.connect_timeout,
            first_byte=self.first_byte_timeout,
            idle=self.idle_timeout,
            total=self.total_timeout,
        )
