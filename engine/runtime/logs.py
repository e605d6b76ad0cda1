"""How the engine logs: one line of JSON an event, on stderr; never words, numbers or digits of a call.

Libraries that would write down what comes over the wire stay silent about it, whatever level somebody asks for: a key of a PIN is
a message of its own.
"""

from __future__ import annotations

import logging
import sys
from typing import Final

import structlog

_OF_THE_WIRE: Final = ("websockets", "uvicorn", "h11", "httpx", "httpcore", "asyncio")


def set_up_logs() -> None:
    """Send structured lines to stderr."""
    for name in _OF_THE_WIRE:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )
