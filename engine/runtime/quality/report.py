"""Writes the report: counts what the store holds, puts the worst calls' masked sound into the page or beside it."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from pathlib import Path
from urllib.parse import quote

import structlog
from sqlalchemy import Engine

from engine.audio.files import read
from engine.audio.opus import opus
from engine.core.errors import MediaError
from engine.qa.report.page import Setting, page
from engine.qa.report.tally import Findings, Step, counted
from engine.qa.report.wording import Wording
from engine.qa.report.worst import Sound
from engine.qa.scored_calls import ScoredCall
from engine.runtime.kept_files import open_kept
from engine.runtime.quality.whole_files import whole
from engine.store.keys import KeyFile
from engine.store.quality_reading import Selection, bounds, recordings, scored_calls, snapshot, stages

_log = structlog.get_logger(__name__)

_LONGEST_BY_DAY = 31  # days; a longer trend goes by weeks unless told otherwise


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is reported, and how."""

    chosen: Selection

    zone: tzinfo

    step: Step | None = None
    """``None``: by day for a month, else by week."""

    worst: int = 20

    least_ranked: int = 30

    sound_bytes: int = 20_000_000
    """What sound may add to the page; what is beyond lies in files beside it."""


@dataclass(frozen=True, slots=True)
class Written:
    """What came of it."""

    findings: Findings

    within: int
    """Calls whose sound is in the page."""

    beside: int
    """Calls whose sound is in a file beside it."""


def find(engine: Engine, wanted: Wanted) -> tuple[Findings, tuple[date, date] | None]:
    """Count everything that was chosen, and say from which day to which."""
    with snapshot(engine) as connection:
        ends = bounds(connection, wanted.chosen)
        days = None if ends is None else _days(wanted, *ends)
        step = wanted.step or _step(days)
        found = Findings(step, wanted.zone, wanted.worst, stages(connection))
        counted(recordings(connection, wanted.chosen), scored_calls(connection, wanted.chosen), found)
    return found, days


def write(engine: Engine, wanted: Wanted, folder: Path, out: Path, say: Wording, keys: KeyFile | None = None) -> Written:
    """Write the page to ``out``; ``folder`` is quality control's, where the masked sound lies.

    Raises:
        ConfigError: it can't be written.
    """
    found, days = find(engine, wanted)
    sounds = _Sounds(folder, out, wanted.sound_bytes, keys)
    setting = Setting(datetime.now(wanted.zone), wanted.chosen.team, wanted.least_ranked, days)
    with whole(out) as part, part.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(page(found, sounds, setting, say))
    return Written(found, sounds.within, sounds.beside)


def _days(wanted: Wanted, first: datetime, last: datetime) -> tuple[date, date]:
    return first.astimezone(wanted.zone).date(), last.astimezone(wanted.zone).date()


def _step(days: tuple[date, date] | None) -> Step:
    return Step.WEEK if days and (days[1] - days[0]).days >= _LONGEST_BY_DAY else Step.DAY


@dataclass(slots=True)
class _Sounds:
    """Finds each call's sound: within the page while there is room, then in files beside it."""

    folder: Path

    page: Path

    room: int
    """Bytes, as they stand in the page."""

    keys: KeyFile | None = None

    within: int = 0

    beside: int = 0

    _made: dict[str, Sound | None] = field(default_factory=dict)

    def __call__(self, call: ScoredCall) -> Sound | None:
        content = call.recording.content
        if content not in self._made:
            encoded = self._encoded(call)
            self._made[content] = None if encoded is None else self._placed(encoded, content)
        return self._made[content]

    def _encoded(self, call: ScoredCall) -> bytes | None:
        place = call.recording.audio
        if place is None or not (self.folder / place).is_file():
            return None
        try:
            with open_kept(self.folder, place, self.keys) as file:
                return opus(read(file))
        except MediaError as error:
            _log.warning("a call's masked sound can't be read", content=call.recording.content, code=error.code)
            return None

    def _placed(self, encoded: bytes, content: str) -> Sound:
        inline = b64encode(encoded).decode()
        if len(inline) <= self.room:
            self.room -= len(inline)
            self.within += 1
            return Sound(f"data:audio/ogg;base64,{inline}", len(encoded), within=True)
        self.beside += 1
        path = self.page.parent / f"{self.page.stem}-sound" / f"{content[:32]}.ogg"
        with whole(path) as part:
            part.write_bytes(encoded)
        return Sound(f"{quote(path.parent.name)}/{path.name}", len(encoded), within=False)
