"""The local usage journal: requests on disk before they are sent, in the database soon after."""

from ownkey.storage.journal.delivery import Sink
from ownkey.storage.journal.frames import UnknownFormat
from ownkey.storage.journal.journal import Journal
from ownkey.storage.journal.recovery import RecoveryReport, recover
from ownkey.storage.journal.writer import Pace, UsageWriter, WriterState

__all__ = [
    "Journal",
    "Pace",
    "RecoveryReport",
    "Sink",
    "UnknownFormat",
    "UsageWriter",
    "WriterState",
    "recover",
]
