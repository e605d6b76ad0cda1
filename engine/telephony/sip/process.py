"""The SIP process: ``python -m engine.telephony.sip.process FD``, started by :mod:`engine.telephony.sip.gateway`.

It ends when :mod:`engine.telephony.apart.link` says, and when the stack dies. One pump serves all calls.
"""

from __future__ import annotations

import asyncio
import faulthandler
import os
import socket
import sys
from typing import Final

from engine.core.errors import ConfigError
from engine.core.precedence import take_precedence
from engine.telephony.apart.link import Link, run
from engine.telephony.apart.wire import Failed, Frame, Kind, Ready
from engine.telephony.sip.settings import SipSettings
from engine.telephony.sip.stack import Stack

TICK: Final = 0.020  # seconds
_PULSE: Final = 50  # ticks between signs of life


async def pump(stack: Stack, link: Link) -> None:
    """Carry what the callers say to the engine, every 20 ms, all of them at once."""
    loop = asyncio.get_running_loop()
    due, tick = loop.time(), 0
    while True:
        due = max(due + TICK, loop.time())
        await asyncio.sleep(due - loop.time())
        tick += 1
        batch = [bytes(Frame(Kind.PULSE))] if tick % _PULSE == 0 else []
        lines = stack.lines
        heard = [bytes(Frame(Kind.SOUND, line.number, sound)) for line in lines if (sound := line.heard())]
        if link.hears(len(lines)):
            batch += heard
        if batch:
            link.write(b"".join(batch))


async def serve(theirs: socket.socket) -> int:
    """Be the SIP process; its exit code."""
    link = Link()
    await asyncio.get_running_loop().connect_accepted_socket(lambda: link, theirs)
    settings = SipSettings.from_json((await link.frames.get()).payload.decode())
    stack = Stack(settings, link.tell, link.over.set)
    try:
        link.tell(Ready(await stack.open()).frame())
        link.obey(stack.take)
        await link.work(pump(stack, link))
    except ConfigError as error:
        link.tell(Failed(str(error)).frame())
        return 1
    finally:
        await stack.close()
    return 0


def _gag_the_stack() -> None:
    """Keep stderr for ourselves: libre prints there whatever a stranger sends it, as often as he likes."""
    ours = os.fdopen(os.dup(2), "w")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)
    sys.stderr = ours
    faulthandler.enable(ours)


def main() -> None:
    """Take the descriptor from the command line."""
    _gag_the_stack()
    run(serve, take_precedence)  # not in real time, in which it loses sound (docs/adr/0009)


if __name__ == "__main__":
    main()
