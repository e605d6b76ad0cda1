"""Settings of who may open pages, and of the audit chain."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from pydantic import Field

from engine.config.oidc import OidcSection
from engine.config.section import Section


class AccessSection(Section):
    """Who may open pages, for how long, and how long is kept who did what."""

    idle: float = Field(900.0, ge=60, le=86_400, description="seconds without a request after which somebody is signed out")
    longest: float = Field(43_200.0, ge=60, le=604_800, description="seconds after which somebody must sign in again")
    networks: tuple[IPv4Network | IPv6Network, ...] = Field(
        (), description="The networks pages may be opened from, such as `10.1.0.0/16`; none named = any that the door admits."
    )
    audit_kept: int = Field(
        1_827, ge=1, description="days for which a row of the audit chain is kept; five years by default, as GOST R 57580.1 asks."
    )
    audit_key_file: Path | None = Field(
        None, description="A file with the key of the audit chain (32 bytes or more); left out, rows are hashed without one."
    )
    heads_file: Path | None = Field(
        None, description="A file the head of the audit chain is appended to, each hour and at the end; best on another machine."
    )
    oidc: OidcSection | None = Field(None, description="Signing in at the bank's own issuer.")
