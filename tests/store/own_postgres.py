"""A PostgreSQL server that a test may kill."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.needs import missing


class OwnPostgres:
    """Its processes die and stand still as told; what it has acknowledged outlives them."""

    def __init__(self, folder: Path, tools: Path, more: str = "") -> None:
        self._place = folder / "data"
        self._tools = tools
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self._options = f"-p {self._port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off {more}"
        self._run("initdb", "-D", self._place, "-A", "trust", "-U", "tester", "--no-sync", "-E", "UTF8")

    @property
    def url(self) -> str:
        return f"postgresql+psycopg://tester@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        """Killed a moment ago, it does so only once the kernel has taken away all that its processes shared."""
        for left in range(20, 0, -1):
            try:
                self._run("pg_ctl", "-D", self._place, "-w", "-l", self._place.parent / "log", "-o", self._options, "start")
            except subprocess.CalledProcessError:
                if left == 1:
                    raise
                time.sleep(0.25)
            else:
                return

    def kill(self) -> None:
        """As a power cut would, but for the disk."""
        self._signal(signal.SIGKILL)

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        first = int((self._place / "postmaster.pid").read_text(encoding="ascii").split()[0])
        for process in (first, *_children(first)):
            with suppress(ProcessLookupError):
                os.kill(process, number)

    def _run(self, tool: str, *arguments: object) -> None:
        before = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []  # it refuses to run as root
        command = [*before, str(self._tools / tool), *map(str, arguments)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/")


@contextmanager
def own_postgres(more: str = "") -> Iterator[OwnPostgres]:
    """One that runs with ``more`` options."""
    found = next(map(str, Path("/usr/lib/postgresql").glob("*/bin/initdb")), None) or shutil.which("initdb")
    if found is None:
        missing("PostgreSQL")
    with tempfile.TemporaryDirectory(prefix="callwright-pg-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o777)
        server = OwnPostgres(Path(folder), Path(str(found)).parent, more)
        server.start()
        try:
            yield server
        finally:
            with suppress(OSError):
                server.kill()


def _children(process: int) -> list[int]:
    stats = [path.read_text(errors="replace").rpartition(")") for path in Path("/proc").glob("[0-9]*/stat") if path.exists()]
    return [int(before.split()[0]) for before, _, after in stats if after.split()[1] == str(process)]
