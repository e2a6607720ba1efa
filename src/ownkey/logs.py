"""Structured logs with allow-listed fields: what is not on the list is not written.

Prompts, answers and secrets have no field. An exception is written as its kind and its frames, without
its text: the text of an unforeseen one may quote whatever the code was handling. As a last fence, what
looks like a key is masked in the finished line.
"""

import asyncio
import logging
import re
import sys
import threading
import traceback
from collections.abc import Generator, MutableMapping, Sequence
from types import TracebackType
from typing import Any, cast

import structlog

from ownkey.domain.errors import OwnkeyError

FIELDS = frozenset(
    {
        "event", "level", "timestamp", "logger", "exception",
        "request_id", "credential_id", "user_id", "api_key_id", "provider", "status", "code",
        "reason", "count", "seconds", "path", "method", "address", "port", "url", "topic", "key_id", "operator",
        "worker", "settled", "interrupted", "rejected", "corrupted", "suppressed",
        "_record", "_from_structlog",
    }
)  # fmt: skip

_KEY_LIKE = re.compile(
    r"\b(?:ok_[0-9A-Za-z]{8,}|sk-[0-9A-Za-z_-]{8,}|gsk_[0-9A-Za-z]{8,}|xai-[0-9A-Za-z]{8,}"
    r"|hf_[0-9A-Za-z]{8,}|pplx-[0-9A-Za-z]{8,}|AIza[0-9A-Za-z_-]{8,}|ABSK[0-9A-Za-z+/=]{8,})"
    r"|(?i:bearer\s+)\S{8,}|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"
)

EventDict = MutableMapping[str, Any]


def allow_fields(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Drop every field that is not on the list."""
    for name in [name for name in event if name not in FIELDS]:
        del event[name]
    return event


def mask_keys(text: str) -> str:
    """`text` with everything that looks like a key or a URL's userinfo masked."""
    return _KEY_LIKE.sub("[redacted]", text)


def outline(failure: BaseException) -> str:
    """Kind and frames of an exception and of those it came from, the first one first, without their texts."""
    return "\n".join(_outline_lines(failure, set()))


def _outline_lines(failure: BaseException, seen: set[int]) -> Generator[str]:
    seen.add(id(failure))
    earlier = failure.__cause__ or (None if failure.__suppress_context__ else failure.__context__)
    if earlier is not None and id(earlier) not in seen:
        yield from _outline_lines(earlier, seen)
        yield "which led to"
    for part in _parts(failure):
        if id(part) not in seen:
            yield from _outline_lines(part, seen)
            yield "which is part of"
    for frame in traceback.extract_tb(failure.__traceback__):
        yield f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}'
    yield type(failure).__qualname__ + _told(failure)


def _parts(failure: BaseException) -> Sequence[BaseException]:
    if isinstance(failure, BaseExceptionGroup):
        return cast("BaseExceptionGroup[BaseException]", failure).exceptions
    return ()


def _told(failure: BaseException) -> str:
    """The texts that are ours, or the operating system's without the names it was given."""
    if isinstance(failure, OwnkeyError):
        return f": {failure.operator or failure.public}"
    if isinstance(failure, OSError) and isinstance(failure.errno, int):
        return f": [Errno {failure.errno}] {failure.strerror}"
    return ""


def outline_exception(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Put `exception` in place of `exc_info`."""
    info = event.pop("exc_info", None)
    if isinstance(info, tuple):
        info = cast("tuple[object, ...]", info)[1]
    elif info is not None and not isinstance(info, BaseException):
        info = sys.exc_info()[1] if info else None
    if isinstance(info, BaseException):
        event["exception"] = outline(info)
    return event


def configure_logs(log_format: str, level: str) -> None:
    """Send our own and the libraries' records to standard error, `text` or `json`; crashes, too."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        outline_exception,
        allow_fields,
    ]
    render: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )

    def finish(logger: Any, method: str, event: EventDict) -> str:
        return mask_keys(str(render(logger, method, event)))

    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, finish],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers = []
        logger.propagate = name != "uvicorn.access"
    # uvicorn reports every start and stop; ours says more, and warnings still pass.
    logging.getLogger("uvicorn.error").setLevel(max(logging.WARNING, root.level))
    for name in ("alembic", "aiosqlite", "sqlalchemy"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(True)
    _catch_crashes()


def report_loop_failure(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """An event loop's exception handler. asyncio's own writes the failed task, and with it the exception's text."""
    failure = context.get("exception")
    known = failure if isinstance(failure, BaseException) else None
    logging.getLogger("ownkey.loop").error("an event loop callback or task failed", exc_info=known)


def _catch_crashes() -> None:
    """Write uncaught exceptions as every other record; Python itself would print their texts."""
    log = logging.getLogger("ownkey.crash")

    def crashed(_kind: type[BaseException], failure: BaseException, _frames: TracebackType | None) -> None:
        log.critical("the process ends by an unforeseen exception", exc_info=failure)

    def thread_crashed(arguments: threading.ExceptHookArgs) -> None:
        log.error("a thread ended by an unforeseen exception", exc_info=arguments.exc_value)

    def ignored(arguments: "sys.UnraisableHookArgs") -> None:
        log.error("an exception could not be raised", exc_info=arguments.exc_value)

    sys.excepthook = crashed
    threading.excepthook = thread_crashed
    sys.unraisablehook = ignored
