"""Structured logs with allow-listed fields: what is not on the list is not written.

Prompts, answers and secrets have no field. As a second fence, texts that look like keys are masked
in the finished line, tracebacks included.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

FIELDS = frozenset(
    {
        "event", "level", "timestamp", "logger", "exception", "exc_info", "stack_info", "positional_args",
        "request_id", "credential_id", "user_id", "api_key_id", "provider", "model", "status", "code",
        "reason", "count", "seconds", "path", "method", "address", "port", "url", "topic", "key_id", "operator",
        "_record", "_from_structlog", "_name",
    }
)  # fmt: skip

_KEY_LIKE = re.compile(
    r"\b(?:ok_[0-9A-Za-z]{8,}|sk-[0-9A-Za-z_-]{8,}|sk-ant-[0-9A-Za-z_-]{8,}|gsk_[0-9A-Za-z]{8,}|xai-[0-9A-Za-z]{8,}"
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


def configure_logs(log_format: str, level: str) -> None:
    """Send our own and the libraries' records to standard error, `text` or `json`."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
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
