"""A batch worker's process, as the run sees it: a socket that never blocks, a lifeline, a size."""

from __future__ import annotations

import os
import selectors
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from engine.core.units import Seconds
from engine.runtime.batch.crew import Gone, News
from engine.runtime.batch.work import Work
from engine.runtime.process import Recipe, Unframed, framed, spawned

_BEGIN = "from engine.runtime.batch.local_worker import main; main()"
_CHUNK = 1 << 16
_LAST_BREATH = Seconds(2.0)  # between a process's closing its socket and its end
_PAGE = os.sysconf("SC_PAGE_SIZE")


class LocalProcess:
    """One process, which ``selector`` waits for; close it at the end.

    Raises:
        OSError: the system has no room for it.
    """

    placed = True

    def __init__(self, recipe: Recipe, selector: selectors.BaseSelector) -> None:
        self._socket, theirs = socket.socketpair()
        held, self._lifeline = os.pipe()
        try:
            self._process = spawned(_BEGIN, "callwright-batch", theirs.fileno(), recipe.fileno(), held)
        except BaseException:
            self._socket.close()
            os.close(self._lifeline)
            raise
        finally:
            theirs.close()
            os.close(held)
        self._messages = Unframed()
        self._selector = selector
        selector.register(self._socket, selectors.EVENT_READ, self)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def name(self) -> str:
        """For the log."""
        return str(self.pid)

    @property
    def resident_bytes(self) -> int:
        """Its share of the machine's memory; 0 where the system does not tell (no Linux), or it has ended."""
        try:
            return int(Path(f"/proc/{self.pid}/statm").read_bytes().split()[1]) * _PAGE
        except (OSError, IndexError):
            return 0

    def give(self, works: Sequence[Work]) -> None:
        """Hand it the next recordings; only while it is free, so that its socket has room."""
        with suppress(ConnectionError):  # it has just died: that will be heard
            self._socket.sendall(framed(works))

    def news(self) -> Iterator[News]:
        """What it has said whole by now; never waits, not for half a message either."""
        alive = self._fill()
        yield from self._messages
        if not alive:
            yield Gone(self._ending())

    def kill(self) -> None:
        """End it; safe at any time."""
        self._process.kill()

    def close(self) -> None:
        """End it, in the middle of its work if need be, and wait until nothing is left of it; as often as one likes."""
        if self._lifeline < 0:
            return
        self._selector.unregister(self._socket)
        self._socket.close()
        os.close(self._lifeline)
        self._lifeline = -1
        try:
            self._process.wait(_LAST_BREATH)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _ending(self) -> str:
        """How it ended, once it can say no more; closes it."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_LAST_BREATH)
        self.close()
        return _told(self._process.returncode)

    def _fill(self) -> bool:
        while True:
            try:
                piece = self._socket.recv(_CHUNK, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return True
            except ConnectionError:
                return False
            if not piece:
                return False
            self._messages.add(piece)


def _told(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    name = signal.Signals(-status).name
    hint = ", as the system does when memory runs out" if -status == signal.SIGKILL else ""
    return f"was ended by {name}{hint}"
