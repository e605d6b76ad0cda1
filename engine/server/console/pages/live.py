"""*Live*: the calls that go on now, and how the house bears them, over a WebSocket that sends what has changed.

Who sees some teams' calls alone sees none of these, which belong to no team yet, but the figures of the house.
"""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, WebSocket
from fastapi.responses import HTMLResponse

from engine.access.permissions import Permission
from engine.dialogue.actions import Rung
from engine.qa.monitor import Standing
from engine.runtime.card_watch import CardWatch
from engine.runtime.live import Bearing, Glance, Happened, LiveCall, LiveCalls
from engine.server.console.rendering import page
from engine.server.console.texts import texts_in
from engine.server.entrance import Visitor, requires
from engine.telephony.sockets import STALLED, AsgiSocket, Goodbye, SocketClosed

_EVERY: Final = 0.5  # seconds from one look to the next
_SOONER: Final = 0.1  # of that, where a look had no room for all
_LOOKED_AFTER: Final = 20  # looks after which it is looked whether they are still signed in
_MOST_PAGES: Final = 50

_Watcher = Annotated[Visitor, requires(Permission.WATCH_LIVE)]


def live_pages(calls: LiveCalls, cards: CardWatch, every: float = _EVERY) -> APIRouter:
    """The page, and its WebSocket."""
    router = APIRouter()
    open_pages: set[AsgiSocket] = set()

    @router.get("/live")
    async def live(visitor: _Watcher) -> HTMLResponse:
        return page(visitor, "live.html", words=_words(visitor.language), bound=not visitor.principal.sees(None))

    @router.websocket("/live/ws")
    async def watch(socket: WebSocket, visitor: _Watcher) -> None:
        await socket.accept()
        line = AsgiSocket(socket)
        if len(open_pages) >= _MOST_PAGES:
            await line.close(Goodbye.REFUSED, f"{_MOST_PAGES} pages look on already")
            return
        open_pages.add(line)
        try:
            await _shown(line, visitor, _Look(calls, cards, every))
        finally:
            open_pages.discard(line)

    return router


@dataclass(frozen=True, slots=True)
class _Look:
    """What is looked at, and how often."""

    calls: LiveCalls
    cards: CardWatch
    every: float

    def message(self, glance: Glance, version: int, *, sees: bool) -> tuple[int, dict[str, Any]]:
        """What a page is told of a glance, and how its calls stand by their cards, as far as that has become known since."""
        if not sees:
            return version, message_of(glance, sees=False)
        self.cards.look(glance.changed)
        version, so_far = self.cards.since(version, glance.live)
        told = {call: [asdict(it) for it in those] for call, those in so_far.items()}
        return version, {**message_of(glance, sees=True), "so_far": told}


async def _shown(line: AsgiSocket, visitor: Visitor, look: _Look) -> None:
    """Send what has changed until the page goes, takes nothing any more, or its visitor is signed in no longer."""
    telling = asyncio.create_task(_told(line, visitor, look))
    hearing = asyncio.create_task(_gone(line))
    try:
        done, _ = await asyncio.wait({telling, hearing}, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        telling.cancel()
        hearing.cancel()


async def _told(line: AsgiSocket, visitor: Visitor, look: _Look) -> None:
    looks, version, known, sees = 0, 0, 0, visitor.principal.sees(None)
    try:
        while looks % _LOOKED_AFTER or await visitor.still(present=False):
            glance = look.calls.glance(version)
            looks, version = looks + 1, glance.version
            known, told = look.message(glance, known, sees=sees)
            async with asyncio.timeout(STALLED):
                await line.send(json.dumps(told, ensure_ascii=False))
            await asyncio.sleep(look.every * _SOONER if glance.more else look.every)
        await line.close(Goodbye.NORMAL, "you are signed in no longer")
    except SocketClosed:
        pass
    except TimeoutError:
        await line.close(Goodbye.REFUSED, f"the page took nothing for {STALLED:g} s")


async def _gone(line: AsgiSocket) -> None:
    """Wait until the page goes; whatever it says is let pass."""
    try:
        while True:
            await line.receive()
    except SocketClosed:
        pass


def message_of(glance: Glance, *, sees: bool) -> dict[str, Any]:
    """What is told of a glance; ``sees``: of its calls too."""
    changed = [_call(it) for it in glance.changed] if sees else []
    return {"live": glance.live if sees else [], "changed": changed, "bearing": _bearing(glance.bearing)}


def _call(it: LiveCall) -> dict[str, Any]:
    return {
        "id": it.call.id,
        "door": it.call.door,
        "direction": it.call.direction.value,
        "flow": it.flow,
        "node": it.node,
        "lasted": round(it.lasted, 1),
        "happened": [_happened(one) for one in it.happened],
    }


def _happened(it: Happened) -> dict[str, Any]:
    sure = None if it.sure is None else round(it.sure, 2)
    return {"at": round(it.at, 1), "what": it.what, "text": it.text, "sure": sure, "rung": it.rung}


def _bearing(it: Bearing) -> dict[str, Any]:
    return {
        "live": it.live,
        "most": it.most,
        "ended": it.ended,
        "refused": it.refused,
        "replies": it.replies,
        "reply_p50": it.reply_p50,
        "reply_p95": it.reply_p95,
        "lag_p99": it.lag_p99,
        "load": round(os.getloadavg()[0] / (os.cpu_count() or 1), 2),
    }


def _words(language: str) -> dict[str, str]:
    """What the script writes, by its names."""
    t = texts_in(language)
    rungs = {f"rung.{rung}": t(f"live.rung.{rung}") for rung in Rung}
    said = ("caller", "engine", "noise", "keys", "transfer", "inbound", "outbound", "sure", "unsure", "over", "lost", "now")
    standings = {f"standing.{it}": t(f"live.standing.{it.name.lower()}") for it in Standing}
    return {**rungs, **standings, **{name: t(f"live.words.{name}") for name in said}}
