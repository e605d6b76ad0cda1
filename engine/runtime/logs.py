"""How the engine logs: one line of JSON an event, on stderr; never words, numbers or digits of a call."""

from __future__ import annotations

import sys

import structlog


def set_up_logs() -> None:
    """Send structured lines to stderr."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )
