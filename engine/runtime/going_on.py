"""What goes on in threads beside everything else, such as sending what is in the outbox, and once more in the end: what came last
is not left lying. A database that is busy or gone costs a round, not the thread.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import SQLAlchemyError

from engine.core.errors import EngineError
from engine.core.units import Seconds

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Work:
    """What one thread does."""

    name: str
    """The thread's, and the log's."""

    once: Callable[[], object]

    rest: Callable[[], Seconds]
    """How long to wait before it is done again."""


@contextmanager
def going_on(works: Sequence[Work]) -> Iterator[None]:
    """Do them again and again meanwhile."""
    over = threading.Event()
    threads = [threading.Thread(target=_go_on, args=(it, over), name=it.name) for it in works]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


@asynccontextmanager
async def beside_a_loop(going: AbstractContextManager[object]) -> AsyncIterator[None]:
    """The same for an event loop, which does not stand still while the last round is waited for. Not safe to cancel then."""
    stack = ExitStack()
    stack.enter_context(going)
    try:
        yield
    finally:
        await asyncio.to_thread(stack.close)


def _go_on(work: Work, over: threading.Event) -> None:
    last = False
    while not last:
        last = over.is_set()
        try:
            work.once()
        except (SQLAlchemyError, EngineError) as error:  # the database is busy or gone, or another engine was first: begin again
            _log.warning("work.again", of=work.name, error=type(error).__name__)
        if not last:
            over.wait(work.rest())
