"""``callwright call``: call somebody by SIP and let them talk to a flow."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from zoneinfo import available_timezones

import typer

from engine.cli.output import console, progress
from engine.cli.telling import tell
from engine.config import Config, FlowSection, SipDoor, load_config
from engine.core.call import Errand
from engine.core.errors import ConfigError
from engine.core.hardened import harden
from engine.core.units import Seconds
from engine.runtime.engine import Engine
from engine.runtime.logs import set_up_logs
from engine.runtime.story import Story
from engine.server.doors.sip import gateway
from engine.telephony.sip.outcomes import NotConnected


def call(
    uri: Annotated[str, typer.Argument(help="Whom to call: sip:user@host, or sip:+4930123456@trunk.example;transport=tls.")],
    *,
    flow: Annotated[Path | None, typer.Option(help="A flow file; left out: the configured one.")] = None,
    config: Annotated[Path, typer.Option(help="The configuration file.")] = Path("engine.toml"),
    trunk: Annotated[str, typer.Option(help="The trunk to call through, by its name in the configuration.")] = "",
    field: Annotated[
        list[str] | None, typer.Option(help="What the flow says of the person: NAME=VALUE, in normal form (amount_due=250.00).")
    ] = None,
    zone: Annotated[str, typer.Option(help="The person's time zone, for what they say of days.")] = "UTC",
    ring: Annotated[float, typer.Option(min=1.0, help="Seconds to let it ring.")] = 40.0,
) -> None:
    """Place a call, carry it to its end and print it as it goes; exit code 1 where nobody answers."""
    harden()
    set_up_logs()
    settings = load_config(config)
    section = _outbound(settings)
    trunks = [one.name for one in section.trunks]
    if trunk and trunk not in trunks:
        raise ConfigError(f"{config}: expected a trunk named {trunk!r} in doors.sip.trunks, found {', '.join(trunks) or 'none'}")
    if flow is not None:
        settings = settings.model_copy(update={"flow": FlowSection(path=flow.resolve(), language=None)})
    try:
        asyncio.run(_call(settings, section, _Ring(uri, trunk, Seconds(ring)), _errand(field, zone)))
    except NotConnected as failed:
        console.print(f"nobody answered: {failed.outcome.value.replace('_', ' ')} ({failed.status or 'no result from SIP'})")
        raise typer.Exit(1) from None


def _outbound(settings: Config) -> SipDoor:
    """The door's settings for a call or two beside an engine that may be running: another port, and no registration."""
    section = settings.doors.sip or SipDoor(port=0)
    trunks = tuple(trunk.model_copy(update={"register_every": 0}) for trunk in section.trunks)
    return section.model_copy(update={"port": 0, "trunks": trunks})


@dataclass(frozen=True, slots=True)
class _Ring:
    """Whom to call, and how."""

    uri: str

    trunk: str

    within: Seconds


def _errand(written: Sequence[str] | None, zone: str) -> Errand | None:
    if not written:
        return None
    wrong = next((it for it in written if "=" not in it), None)
    if wrong is not None:
        raise typer.BadParameter(f"--field: expected NAME=VALUE, found {wrong!r}")
    if zone not in available_timezones():
        raise typer.BadParameter(f"--zone: expected an IANA time zone such as Europe/London, found {zone!r}")
    return Errand({name: value for name, _, value in (it.partition("=") for it in written)}, zone)


async def _call(settings: Config, section: SipDoor, whom: _Ring, errand: Errand | None) -> None:
    with progress.status("loading models, rendering prompts ..."):
        engine = await Engine.start(settings)
    try:
        async with gateway(section, lambda _: None, engine.take) as (lines, _):
            console.print(f"calling {whom.uri} ...")
            leg = await lines.dial(whom.uri, trunk=whom.trunk, within=whom.within)
            await engine.take(leg, watch=Story(tell), errand=errand)
    finally:
        await engine.close(Seconds(1.0))
