"""The tables of calls that we make."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field

from engine.config.section import Port, Section
from engine.config.webhooks import PostedSection


class SipLineSection(Section):
    """Calls over the SIP door."""

    trunk: str = Field("", description="The name of one of `doors.sip.trunks`; empty = from here, without an account.")
    address: str = Field(
        "sip:{number}@127.0.0.1:5060",
        pattern=r"^sips?:[^\s@]*\{number\}[^\s@]*@[^\s@]+$",
        description="Whom to invite: `{number}` stands for the number, with its +.",
    )


class AsteriskSection(Section):
    """Calls that an Asterisk makes for us, over its manager interface (AMI)."""

    host: str = Field(
        "127.0.0.1", description="Where its manager interface listens; keep it on a network of its own: AMI is clear text."
    )
    port: Port = Field(5038, description="Its TCP port.")
    user: str = Field(description="The user in its manager.conf; needs `originate`, `call`, `system` for reading and writing.")
    secret_file: Path = Field(description="A file that holds the user's secret.")
    context: str = Field("callwright-out", description="The dialplan context that dials; docs/howto/asterisk-outbound.md has it.")


class SimulatedSection(Section):
    """Calls to made-up people: `python -m engine.testing.simulated_carrier`."""

    port: Port = Field(9100, description="Where it listens on loopback.")
    speed: float = Field(1.0, gt=0, description="How many of its seconds pass in one, as it was told too.")


class WaySection(PostedSection):
    """One way to write to people after a call, `[outbound.follow_up.NAME]`: an adapter of the bank's own, which campaigns call by
    this name."""


class OutcomesSection(PostedSection):
    """One of the bank's systems that is told what came of calls, `[outbound.webhooks.NAME]`."""

    events: tuple[Literal["call", "outcome"], ...] = Field(
        ("call", "outcome"), min_length=1, description="What it is told: that a call has ended, that a contact has its outcome."
    )


class OutboundSection(Section):
    """Calls that we make, for campaigns."""

    carrier: Literal["sip", "asterisk", "simulated"] = Field("sip", description="Who carries them.")
    lines: int = Field(
        4, ge=1, le=10_000, description="Most calls that we make at once; those that come in have the rest of calls.max_calls."
    )
    kept_free: int = Field(
        2,
        ge=0,
        le=10_000,
        description="Of calls.max_calls, so many are kept for people who call us, whatever the campaigns want.",
    )
    calls_a_second: float = Field(1.0, gt=0, le=100, description="Most new calls a second, of all campaigns together.")
    folder: Path = Field(Path("var/outbound"), description="Where running diallers show that they live.")
    sip: SipLineSection = SipLineSection()
    asterisk: AsteriskSection | None = None
    simulated: SimulatedSection = SimulatedSection()
    follow_up: Mapping[str, WaySection] = Field(
        {}, description="Ways to write to people after a call, by name: `app`, `messenger`, `sms` ..."
    )
    webhooks: Mapping[str, OutcomesSection] = Field(
        {}, description="The bank's systems that are told what came of calls, by name."
    )
