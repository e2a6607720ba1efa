"""Reporting what a handler should have caught."""

import logging
import traceback


def report_crash(failure: Exception) -> None:
    """Log the kind and place of an unforeseen exception, never its text: it may quote what a client sent."""
    frames = "".join(traceback.format_tb(failure.__traceback__))
    report = logging.getLogger("ownkey.gateway.edge").error
    report("A data-plane handler raised %s\n%s", type(failure).__qualname__, frames)
