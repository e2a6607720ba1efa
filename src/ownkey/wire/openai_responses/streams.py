"""Streamed responses, in both directions."""

from ownkey.wire.format import Streams
from ownkey.wire.openai_responses.stream_reading import ResponseReader
from ownkey.wire.openai_responses.stream_writing import PING, ResponseWriter

STREAMS = Streams(reader=ResponseReader, writer=ResponseWriter, ping=PING)
