"""What processes hold in memory, read as root: all that can be written to, and is not a file's.

A process that has shut itself (:mod:`engine.core.hardened`) is root's to read; so is this proof. Shared files, such as a model's
weights or a library's code, are on disk as well, and are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.core.errors import PrivacyError

_MOST: Final = 1 << 26  # bytes at a time
_OVERLAP: Final = 1 << 8


@dataclass(frozen=True, slots=True)
class Process:
    """One of the engine's."""

    pid: int
    name: str

    def pieces(self) -> Iterator[bytes]:
        """Its memory, piece by piece; one that ends meanwhile ends it.

        Raises:
            PrivacyError: we may not read it.
        """
        try:
            with Path(f"/proc/{self.pid}/mem").open("rb", buffering=0) as memory:
                for start, end in self._ranges():
                    for at in range(start, end, _MOST):
                        try:
                            memory.seek(at)
                            yield memory.read(min(_MOST + _OVERLAP, end - at))
                        except OSError:  # given back in the meantime
                            continue
        except (FileNotFoundError, ProcessLookupError):
            return
        except PermissionError as error:
            raise PrivacyError(f"expected to read the memory of process {self.pid}, found that it takes root") from error

    def _ranges(self) -> list[tuple[int, int]]:
        lines = Path(f"/proc/{self.pid}/maps").read_text(encoding="utf-8", errors="replace").splitlines()
        return [found for line in lines if (found := _searched(line)) is not None]


def family(pid: int) -> list[Process]:
    """A process and all its descendants."""
    processes, waiting = [], [pid]
    while waiting:
        parent = waiting.pop()
        try:
            processes.append(Process(parent, _named(parent)))
            threads = list(Path(f"/proc/{parent}/task").iterdir())
            waiting += [int(it) for thread in threads for it in (thread / "children").read_text(encoding="ascii").split()]
        except OSError:  # it has just gone
            continue
    return processes


def _searched(line: str) -> tuple[int, int] | None:
    where, rights, _, _, inode, *path = line.split(maxsplit=5)
    if not rights.startswith("rw") or path[:1] in (["[vvar]"], ["[vsyscall]"]):
        return None
    if rights[3] == "s" and inode != "0" and not path[0].startswith(("/dev/zero", "/memfd")):
        return None
    start, _, end = where.partition("-")
    return int(start, 16), int(end, 16)


def _named(pid: int) -> str:
    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    for door in ("sip", "audiosocket"):
        if f"engine.telephony.{door}.process" in words:
            return door
    workers = [words[-2] for word in words if "engine.runtime.worker" in word and len(words) > 1]
    return f"worker {workers[0]}" if workers else "media" if "serve" in words else words[0].rpartition("/")[2] or "?"
