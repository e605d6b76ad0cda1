"""What takes the rows of an export."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import ExitStack

from engine.qa.export import Row


class Tables(ExitStack, ABC):
    """Several tables, written at once. A context: all of it is there in the end, or nothing."""

    @abstractmethod
    def add(self, table: str, row: Row) -> None:
        """Write one row."""
