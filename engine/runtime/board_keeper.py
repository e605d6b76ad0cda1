"""One thread that brings what a process has to say to the board in the database: all that has gathered in one transaction."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Collection
from concurrent.futures import Future
from typing import Final

import structlog

from engine.assist.board import BoardUnavailable
from engine.assist.broker import Action
from engine.assist.tasks import TaskId
from engine.core.errors import ProtocolError
from engine.core.units import Seconds
from engine.store.board import BoardRows, Change
from engine.store.board_state import State

_log = structlog.get_logger(__name__)
_LOOK: Final = Seconds(1.0)  # at the latest, though nobody has said that anything changed
_SOON: Final = Seconds(0.01)  # not to look for ever at a moment that is just to come

Done = Future[tuple[Action, ...]]
_Job = tuple[Change, Done]


class Keeper:
    """The thread. ``told`` is called on it with every state that it has seen. Close it."""

    def __init__(self, rows: BoardRows, told: Callable[[State], object], concerned: Callable[[], Collection[TaskId]]) -> None:
        """``concerned``: the tasks that this process waits to hear the end of; called on the thread."""
        self._rows, self._told, self._concerned = rows, told, concerned
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._closing = False
        self.healthy = True
        """Whether the database could be reached when it was last tried."""
        self._due: float | None = None
        self._thread = threading.Thread(target=self._run, name="board", daemon=True)
        self._thread.start()

    def submit(self, change: Change) -> Done:
        """Bring it there; what the broker made of it, once it is kept. It fails with what the board raises."""
        done: Done = Future()
        done.set_running_or_notify_cancel()  # who stops waiting does not stop the thread
        self._jobs.put((change, done))
        return done

    def look(self) -> None:
        """See what others have changed."""
        self._jobs.put(None)

    def close(self) -> None:
        """Bring what is waiting, then stop."""
        self._closing = True
        self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        while not self._closing or not self._jobs.empty():
            jobs = self._gathered()
            try:
                self._bring(jobs) if jobs else self._see()
            except BoardUnavailable as error:
                self._failed(jobs, error)

    def _gathered(self) -> list[_Job]:
        """Wait until there is something to do; nothing gathered is something to look at."""
        try:
            found = [self._jobs.get(timeout=self._patience())]
        except queue.Empty:
            return []
        while not self._jobs.empty():
            found.append(self._jobs.get())
        return [job for job in found if job is not None]

    def _patience(self) -> Seconds:
        return Seconds(_LOOK if self._due is None else min(_LOOK, max(_SOON, self._due - self._rows.clock())))

    def _bring(self, jobs: list[_Job]) -> None:
        state, outcomes = self._rows.change([change for change, _ in jobs], self._concerned())
        self._seen(state)
        for (_, done), outcome in zip(jobs, outcomes, strict=True):
            if isinstance(outcome, ProtocolError):
                done.set_exception(outcome)
            else:
                done.set_result(outcome)

    def _see(self) -> None:
        """Look without a lock first: others may have done what is due."""
        state = self._rows.read(self._concerned())
        if state.due is not None and state.due <= self._rows.clock():
            state, _ = self._rows.change([], self._concerned())
        self._seen(state)

    def _seen(self, state: State) -> None:
        self._due, self.healthy = state.due, True
        self._told(state)

    def _failed(self, jobs: list[_Job], error: BoardUnavailable) -> None:
        _log.error("board.unavailable", error=str(error))
        self._due, self.healthy = None, False  # tried again in a while
        for _, done in jobs:
            done.set_exception(error)
