"""Wires silent agents into an engine: the board, what is learnt at it, and the way of each call to it."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from engine.assist.board import Board
from engine.assist.broker import Label
from engine.assist.tasks import AgentId
from engine.config.sections import AssistSection
from engine.core.call import CallId
from engine.dialogue.graph import Flow
from engine.runtime.assistance import Assistance, Assistants, CallOnBoard, Post, Submit
from engine.runtime.board import LocalBoard
from engine.runtime.board_shared import SharedBoard
from engine.store.keys import KeyFile
from engine.store.labels import Day, Labels

_log = structlog.get_logger(__name__)


class DeskRoom:
    """What desks need: the board, and each agent's own figures. Close it."""

    def __init__(self, section: AssistSection, database: Engine, keys: KeyFile | None = None) -> None:
        """To be made in the event loop; ``keys``: kept phrases are encrypted."""
        self._labels = Labels(database, section.phrases, keys)
        self._shared = SharedBoard.of(database, self._labels) if section.board == "database" else None
        self.board: Board = self._shared or LocalBoard(self._keep)

    @property
    def healthy(self) -> bool:
        """Whether the board can be reached."""
        return self._shared is None or self._shared.healthy

    async def day(self, agent: AgentId) -> Day:
        """What an agent has done since midnight; where nobody can tell, nothing."""
        midnight = datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
        try:
            return await asyncio.to_thread(self._labels.day, agent, midnight)
        except SQLAlchemyError as error:
            _log.error("assist.day", error=type(error).__name__)
            return Day()

    def close(self) -> None:
        """Nobody sits here any more."""
        if self._shared is not None:
            self._shared.close()

    async def _keep(self, label: Label, phrase: bytes | None) -> None:
        """An example that can't be kept costs neither the caller nor the agent anything."""
        try:
            await asyncio.to_thread(self._labels.keep, label, phrase, time.time())
        except (SQLAlchemyError, OSError) as error:
            _log.error("assist.label_lost", call=label.task.id.call, error=type(error).__name__)


class SilentAgents(DeskRoom):
    """The same, and the calls' way there: all that an engine has of them."""

    def __init__(self, section: AssistSection, database: Engine, interpret: Submit, keys: KeyFile | None = None) -> None:
        """``interpret`` has typed words understood."""
        super().__init__(section, database, keys)
        self._assistants = Assistants(self.board, interpret)
        self._hand_out = asyncio.create_task(self._assistants.run(), name="silent agents")

    def assistance(self, call: CallId, flow: Flow, post: Post) -> Assistance:
        """One call's way to them."""
        return Assistance(self._assistants, CallOnBoard(call, flow), post)

    def close(self) -> None:
        """Nobody is asked any more."""
        self._hand_out.cancel()
        super().close()
