"""Streamed content, in both directions."""

from ownkey.wire.format import Streams
from ownkey.wire.gemini.stream_reading import ContentReader
from ownkey.wire.gemini.stream_writing import PING, ContentWriter

STREAMS = Streams(reader=ContentReader, writer=ContentWriter, ping=PING)
