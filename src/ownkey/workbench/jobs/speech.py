"""What the library says, fit for our log: one line, and no text of an exception that its database caused.

It writes whole tracebacks into its messages, each second while a database is away, and the texts of a driver's errors
quote statements.
"""

import logging

from sqlalchemy.exc import SQLAlchemyError

_LONGEST = 200
_CAUSES = ("Traceback", "(psycopg", "(sqlite3", "[SQL")


class Plain(logging.Filter):
    """Shortens records in place. It never holds one back."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        for cause in _CAUSES:
            text = text.partition(cause)[0]
        lines = text.strip().splitlines()
        record.msg, record.args = f"jobs: {lines[0][:_LONGEST] if lines else 'an error'}", ()
        if record.exc_info and isinstance(record.exc_info[1], SQLAlchemyError):
            record.exc_info = None
        return True
