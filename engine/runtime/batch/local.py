"""The executor of one machine: worker processes, each with its own models."""

from __future__ import annotations

import selectors
from collections.abc import Iterator, Sequence
from typing import Self

from engine.core.units import Seconds
from engine.runtime.batch.crew import ALONE, GENEROUS, Crew, News, Patience, Together
from engine.runtime.batch.local_process import LocalProcess
from engine.runtime.batch.work import HearerLoader
from engine.runtime.process import Recipe


class LocalExecutor(Crew):
    """Worker processes on this machine.

    ``loader`` is pickled and runs in each worker, which is single-threaded, nice, and deaf to Ctrl-C.
    """

    def __init__(self, loader: HearerLoader, workers: int, patience: Patience = GENEROUS, together: Together = ALONE) -> None:
        self._processes = LocalProcesses(loader)
        super().__init__(self._processes, workers, patience, together)

    @property
    def pids(self) -> tuple[int, ...]:
        """The workers' process ids, of now."""
        return tuple(process.pid for process in self._processes)


class LocalProcesses:
    """The workforce of this machine."""

    def __init__(self, loader: HearerLoader) -> None:
        self._loader = loader

    def __enter__(self) -> Self:
        self._recipe = Recipe(self._loader)
        self._selector = selectors.DefaultSelector()
        return self

    def __exit__(self, *_: object) -> None:
        self._selector.close()
        self._recipe.close()

    def __iter__(self) -> Iterator[LocalProcess]:
        return iter([key.data for key in self._selector.get_map().values()])

    def hire(self) -> LocalProcess:
        """Start one.

        Raises:
            OSError: the system has no room for it.
        """
        return LocalProcess(self._recipe, self._selector)

    def news(self, wait: Seconds) -> Sequence[tuple[LocalProcess, News]]:
        """All that the workers have said by now; waits for the first of it, but not for long."""
        speaking = [key.data for key, _ in self._selector.select(wait)]
        return [(process, news) for process in speaking for news in process.news()]
