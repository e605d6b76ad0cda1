"""Diarizers are plug-ins: none ships, and the contract is proved on a simple one."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from engine.asr.diarizer import Diarizer, load_diarizer
from engine.asr.stretches import Stretch
from engine.core.audio import AudioFrame
from engine.core.call import Speaker
from engine.core.errors import ConfigError
from engine.testing.diarizers import DiarizerContract


class ByTurns:
    """Whoever speaks first is the caller, then they take turns."""

    name = "by_turns"

    def speakers(self, channel: AudioFrame, stretches: Sequence[Stretch]) -> Sequence[Speaker | None]:
        return [list(Speaker)[place % 2] for place in range(len(stretches))]


class TestASimpleOne(DiarizerContract):
    @pytest.fixture
    def diarizer(self) -> Diarizer:
        return ByTurns()


def test_one_that_is_not_installed_is_named() -> None:
    with pytest.raises(ConfigError, match="installed diarizer"):
        load_diarizer("pyannote")
