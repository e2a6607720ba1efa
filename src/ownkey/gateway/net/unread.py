"""Proof that a peer closed a connection before a request had reached it."""

import asyncio
import os
import socket
import struct
import sys

_INFO = struct.Struct("<8B24I4Q6I4Q2I2Q")
"""Linux's `tcp_info` up to `tcpi_bytes_retrans` (include/uapi/linux/tcp.h; since 4.19)."""
_ACKED, _SENT, _RETRANSMITTED = 34, 48, 49
_PROTOCOL, _TCP_INFO = socket.IPPROTO_TCP, 11


def reached_nobody(transport: asyncio.Transport, size: int) -> bool:
    """Whether a peer that closed had nothing of the `size` bytes written: all are still here, or unacknowledged."""
    there = unacknowledged(transport.get_extra_info("socket").fileno())
    return there + transport.get_write_buffer_size() >= size


def unacknowledged(descriptor: int) -> int:
    """How many of the bytes sent on a TCP socket its peer has not acknowledged; 0 where the system does not say.

    The segment by which a peer ends its side (FIN) acknowledges all that its kernel had received by then. What is
    unacknowledged when the end has been read had not arrived when the peer closed, so nobody there can have read it.
    """
    if not sys.platform.startswith("linux"):
        return 0
    try:
        with socket.socket(fileno=os.dup(descriptor)) as doubled:
            told = doubled.getsockopt(_PROTOCOL, _TCP_INFO, _INFO.size)
    except OSError:
        return 0
    if len(told) < _INFO.size:
        return 0
    fields = _INFO.unpack(told)
    # The handshake's own byte counts as acknowledged.
    return max(fields[_SENT] - fields[_RETRANSMITTED] - (fields[_ACKED] - 1), 0)
