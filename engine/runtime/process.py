"""A worker's process, as the event loop sees it.

Nothing here holds the loop: a process is started and waited for in a thread, it reads what it is to load from a file, and
messages to one that does not read wait in the transport. Messages are pickles, each behind its length (four bytes, big-endian),
as the worker's :class:`multiprocessing.connection.Connection` frames them.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing import parent_process
from threading import Thread
from typing import Any

_BEGIN = "from engine.runtime.worker import main; main()"
_LENGTH = 4  # bytes
# Read when numpy is loaded, so before a worker begins: idle BLAS threads spin, and cost a phrase fifty times its work.
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def end_with_parent() -> None:
    """In a process of a ``ProcessPoolExecutor``: die when the parent is killed, for it would wait for ever."""
    Thread(target=_outlive_nobody, daemon=True).start()


def _outlive_nobody() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@dataclass(frozen=True, slots=True)
class Post:
    """Where a worker's messages go."""

    said: Callable[[Any], None]
    """It has said something."""

    gone: Callable[[], None]
    """It will not say anything any more; called once."""


class Recipe:
    """What the workers of a pool load, in a file without a name: megabytes that no pipe has to carry. Close it at the end."""

    def __init__(self, load: Callable[[], object]) -> None:
        self._file = tempfile.TemporaryFile(prefix="callwright-")  # noqa: SIM115 -- as long as its pool
        pickle.dump(load, self._file, pickle.HIGHEST_PROTOCOL)
        self._file.flush()

    def fileno(self) -> int:
        """Its descriptor; workers inherit it, and its place is theirs too: read it from the beginning, by place."""
        return self._file.fileno()

    def close(self) -> None:
        """Let the file go."""
        self._file.close()


def framed(message: Any) -> bytes:
    """A message as it is sent."""
    pickled = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    return len(pickled).to_bytes(_LENGTH, "big") + pickled


class Unframed:
    """Messages out of what has come of them, in pieces of any length."""

    def __init__(self) -> None:
        self._read = bytearray()

    def add(self, piece: bytes) -> None:
        """Take the next piece."""
        self._read += piece

    def __iter__(self) -> Iterator[Any]:
        """Those that are whole; each is given once."""
        while (message := self._next()) is not None:
            yield pickle.loads(message)  # noqa: S301 -- our own process, over a socket that has no name

    def _next(self) -> bytes | None:
        end = _LENGTH + int.from_bytes(self._read[:_LENGTH], "big")
        if len(self._read) < max(end, _LENGTH):
            return None
        message = bytes(self._read[_LENGTH:end])
        del self._read[:end]
        return message


class WorkerProcess(asyncio.Protocol):
    """One process. Make it with :meth:`start`."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._post: Post | None = None
        self._transport: asyncio.WriteTransport | None = None
        self._lost = False
        self._messages = Unframed()

    @classmethod
    async def start(cls, name: str, recipe: Recipe) -> WorkerProcess:
        """Start it. Safe to cancel: it then ends by itself.

        ``name`` is for the eyes of who lists processes.

        Raises:
            OSError: the system has no room for it.
        """
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                process = await asyncio.to_thread(spawned, _BEGIN, name, theirs.fileno(), recipe.fileno())
            worker = cls(process)
            await asyncio.get_running_loop().create_unix_connection(lambda: worker, sock=ours)
        except BaseException:
            ours.close()  # which ends the process too
            raise
        return worker

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def attend(self, post: Post) -> None:
        """Say where its messages go; before the loop has had time to read any."""
        self._post = post
        if self._lost:
            asyncio.get_running_loop().call_soon(post.gone)

    def send(self, message: Any) -> None:
        """Give it a message; never waits.

        Raises:
            BrokenPipeError: it has died.
        """
        assert self._transport is not None
        self._transport.write(framed(message))
        if self._transport.is_closing():
            raise BrokenPipeError

    def kill(self) -> None:
        """End it; safe at any time, and as often as one likes."""
        self._process.kill()

    def hang_up(self) -> None:
        """Hear nothing of it any more."""
        self._post = None
        if self._transport is not None:
            self._transport.abort()

    async def wait(self) -> None:
        """Wait until it has ended, so that nothing is left of it. Safe to cancel."""
        await asyncio.to_thread(self._process.wait)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The loop's: it is connected."""
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """The loop's: a piece of its messages has come."""
        self._messages.add(data)
        for message in self._messages:
            if self._post is not None:
                self._post.said(message)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 -- asyncio's signature
        """The loop's: its end of the socket is closed."""
        self._lost = True
        if self._post is not None:
            self._post.gone()


def spawned(begin: str, name: str, *passed: int) -> subprocess.Popen[bytes]:
    """Start ourselves anew, single-threaded, to run the statement ``begin``. Its arguments are the descriptors it inherits, then
    ``name``; it can import what can be imported here.

    Raises:
        OSError: the system has no room for it.
    """
    command = (sys.executable, "-P", "-c", begin, *map(str, passed), name)
    path = os.pathsep.join(path for path in sys.path if path)
    return subprocess.Popen(  # noqa: S603 -- ourselves
        command, stdin=subprocess.DEVNULL, pass_fds=passed, env={**os.environ, **_ONE_THREAD, "PYTHONPATH": path}
    )
