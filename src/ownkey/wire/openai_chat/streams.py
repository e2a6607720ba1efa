"""Streamed chat completions, in both directions."""

from ownkey.wire.format import Streams
from ownkey.wire.openai_chat.stream_reading import ChunkReader
from ownkey.wire.openai_chat.stream_writing import PING, ChunkWriter

STREAMS = Streams(reader=ChunkReader, writer=ChunkWriter, ping=PING)
