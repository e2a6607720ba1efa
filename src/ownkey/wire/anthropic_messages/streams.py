"""Streamed messages, in both directions."""

from ownkey.wire.anthropic_messages.stream_reading import MessageReader
from ownkey.wire.anthropic_messages.stream_writing import PING, MessageWriter
from ownkey.wire.format import Streams

STREAMS = Streams(reader=MessageReader, writer=MessageWriter, ping=PING)
