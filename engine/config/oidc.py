"""Settings of signing in at the bank's own issuer (OpenID Connect)."""

from __future__ import annotations

from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from engine.access.permissions import PEOPLES_ROLES, Role
from engine.config.section import Section

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class OidcSection(Section):
    """The bank's issuer, and what its claims mean here. Needs the extra `oidc`."""

    issuer: str = Field(description="As it calls itself: `https://login.bank.example/realms/staff`; in clear on loopback only.")
    client_id: str = Field(min_length=1, max_length=256, description="What the issuer knows this engine as.")
    client_secret_file: Path | None = Field(None, description="A file with the client's secret; left out, PKCE alone protects.")
    address: str = Field(
        description="Where browsers find this engine's pages; the issuer sends them back to `/sign-in/oidc/back` there."
    )
    roles: dict[str, tuple[Role, ...]] = Field(
        min_length=1, description='Roles by what stands in the claim: `{"cw-quality" = ["qa_lead"]}`; who has none is not let in.'
    )
    roles_claim: str = Field("groups", description="The claim with their groups: a list of names, or one name.")
    teams_claim: str | None = Field(None, description="The claim with the teams whose calls they see; left out, everybody's.")
    name_claim: str = Field("preferred_username", description="The claim they are known by here.")
    ca_file: Path | None = Field(
        None, description="The certificate (PEM) that the issuer's is signed with, where the system does not know it."
    )

    @field_validator("issuer", "address")
    @classmethod
    def _safe(cls, found: str) -> str:
        parts = urlsplit(found)
        if not parts.hostname or parts.query or parts.fragment or parts.username:
            raise ValueError("expected an address such as https://login.bank.example")
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
            raise ValueError("expected https:// (http:// on loopback only)")
        return found

    @field_validator("roles")
    @classmethod
    def _peoples(cls, found: dict[str, tuple[Role, ...]]) -> dict[str, tuple[Role, ...]]:
        if any(not set(roles) <= PEOPLES_ROLES for roles in found.values()):
            raise ValueError("expected roles of people's: machine is none")
        return found

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if len({self.roles_claim, self.teams_claim, self.name_claim}) < 3:
            raise ValueError("expected three different claims for roles, teams and the name")
        return self
