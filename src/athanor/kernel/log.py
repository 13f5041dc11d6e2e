"""Structured logs: one line an event, readable on a console or as JSON for a collector."""

import logging
import sys
from typing import Literal

import structlog

from athanor.kernel.recent_logs import RECENT

LogFormat = Literal["console", "json"]


def configure_logging(level: str = "info", log_format: LogFormat = "console") -> None:
    """Send our own and the libraries' log lines to standard error in one form. `level` as in `logging`."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        RECENT,
        structlog.processors.format_exc_info,
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    if log_format == "console":
        shared.remove(structlog.processors.format_exc_info)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level.upper())),
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for chatty in (
        "alembic",
        "uvicorn.access",
        "asyncua",
        "pymodbus",
        "amqtt",
        "transitions",
        "httpx",
        "httpcore",
        "engineio",
    ):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))
