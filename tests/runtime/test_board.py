"""The board in one process's memory keeps the contract of all boards."""

from __future__ import annotations

import pytest

from engine.assist.broker import Label
from engine.runtime.board import LocalBoard
from engine.testing.boards import HASTY, BoardContract, Boards, Kept


class TestTheBoardOfOneProcess(BoardContract):
    @pytest.fixture
    def labels(self) -> list[Label]:
        return []

    @pytest.fixture
    async def boards(self, labels: list[Label]) -> Boards:
        async def keep(label: Label, _: bytes | None) -> None:
            labels.append(label)

        board = LocalBoard(keep, HASTY)
        return board, board

    @pytest.fixture
    def kept(self, labels: list[Label]) -> Kept:
        return lambda: [(it.agent, it.answer, it.late) for it in labels]
