"""Logging: the request log with a line format of its own, structlog for everything else.

All lines go to stderr, whose encoding errors never raise.
"""

from __future__ import annotations

import logging
import sys
from typing import Final, TextIO

import structlog

ACCESS_LOGGER: Final = "example_app.access"
SHARED_PROCESSORS: Final[list[structlog.typing.Processor]] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]


class AccessFormatter(logging.Formatter):
    """`INFO POST /path 200 03.98ms {...}`: the level's short name, then the message."""

    def format(self, record: logging.LogRecord) -> str:
        """Render one line."""
        level = "WARN" if record.levelno == logging.WARNING else record.levelname
        return f"{level} {record.getMessage()}"


def configure_logging(level: str, line_format: str, stream: TextIO | None = None) -> None:
    """Send all logging of the process through structlog, except for the request log.

    Whatever the server (uvicorn, gunicorn, `fastapi run`) configured before is replaced: its own
    access log would repeat each line.
    """
    # What no formatter here shows need not be found out for each record: a third of the time of a
    # log line (see "Optimization" in Python's logging how-to).
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None
    target = stream or sys.stderr
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if line_format == "json"
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    general = logging.StreamHandler(target)
    general.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=SHARED_PROCESSORS,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    access = logging.StreamHandler(target)
    access.setFormatter(AccessFormatter())

    _replace_handlers(logging.getLogger(), [general])
    logging.getLogger().setLevel(level)
    access_logger = logging.getLogger(ACCESS_LOGGER)
    _replace_handlers(access_logger, [access])
    access_logger.setLevel(logging.INFO)
    access_logger.propagate = False
    for name in ("uvicorn", "uvicorn.error", "gunicorn.error"):
        _replace_handlers(logging.getLogger(name), [])
        logging.getLogger(name).propagate = True
    for name in ("uvicorn.access", "gunicorn.access"):
        _replace_handlers(logging.getLogger(name), [])
        logging.getLogger(name).propagate = False
    for name in ("httpx", "httpcore", "aiosqlite", "alembic", "sqlalchemy.engine"):
        logging.getLogger(name).setLevel(logging.WARNING)

    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED_PROCESSORS,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _replace_handlers(logger: logging.Logger, handlers: list[logging.Handler]) -> None:
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
    for handler in handlers:
        logger.addHandler(handler)


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return a logger that adds the request id to each line."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger
