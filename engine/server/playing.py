"""A call's masked sound, whole or in parts, and its shape; to pages and to programs.

Every playback is kept in the audit chain before the first octet is sent. A player fetches a sound in several parts: of the same
call, to the same person, one row a minute is kept.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from http import HTTPStatus
from time import monotonic
from typing import Final

from fastapi.responses import StreamingResponse

from engine.access.deeds import Deed
from engine.core.errors import MediaError
from engine.core.units import Seconds
from engine.runtime.kept_sound import NotThere, Shape, part_of
from engine.server.console.pages.records import Records
from engine.server.entrance import Refused, Visitor
from engine.server.web_files import HEADERS
from engine.store.finding import Found

_NOTED: Final = Seconds(60.0)
_MOST_NOTED: Final = 1_000
_NO_SOUND: Final = "There is no sound of this call.\n"


class Playing:
    """One for an engine."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self._noted: OrderedDict[tuple[str, str], float] = OrderedDict()

    def shape(self, found: Found) -> Shape:
        """What it looks like.

        Raises:
            Refused: there is no sound.
        """
        try:
            return self.records.shapes.of(self.records.kept.folder, self._place(found), self.records.kept.keys)
        except MediaError:
            raise Refused(404, "no sound", _NO_SOUND) from None

    async def sound(self, visitor: Visitor, found: Found, wanted: str) -> StreamingResponse:
        """What a request's ``Range`` asks for.

        Raises:
            Refused: there is no sound, or it ends before that.
        """
        place, kept = await asyncio.to_thread(self._place, found), self.records.kept
        try:
            part, partial = await asyncio.to_thread(part_of, kept.folder, place, wanted, kept.keys)
        except NotThere:
            raise Refused(416, "range", "The sound ends before that.\n") from None
        except MediaError:
            raise Refused(404, "no sound", _NO_SOUND) from None
        try:
            await self._note(visitor, found.name)
        except BaseException:
            part.file.close()
            raise
        length = {"Content-Length": str(part.last + 1 - part.first), "Accept-Ranges": "bytes"}
        span = {"Content-Range": f"bytes {part.first}-{part.last}/{part.size}"} if partial else {}
        status = HTTPStatus.PARTIAL_CONTENT if partial else HTTPStatus.OK
        return StreamingResponse(part.pieces(), status, {**HEADERS, **length, **span}, "audio/wav")

    def _place(self, found: Found) -> str:
        place = self.records.kept.audio_of(found)
        if place is None:
            raise Refused(404, "no sound", _NO_SOUND)
        return place

    async def _note(self, visitor: Visitor, name: str) -> None:
        who, now = (visitor.principal.id, name), monotonic()
        if now - self._noted.get(who, -_NOTED) < _NOTED:
            return
        await visitor.note(Deed.HEARD, f"call {name}")
        self._noted[who] = now
        self._noted.move_to_end(who)
        if len(self._noted) > _MOST_NOTED:
            self._noted.popitem(last=False)
