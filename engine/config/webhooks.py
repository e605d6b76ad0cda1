"""The settings of webhooks: where the bank's own systems are, and which are told of scores."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from engine.config.section import Section


class PostedSection(Section):
    """Where messages are posted to, signed as Standard Webhooks are."""

    url: str = Field(description="Where messages are posted to: http:// or https://, inside the bank.")
    secret_file: Path = Field(
        description="A file with the secret that messages are signed with, `whsec_` and base64 of 24 to 64 bytes; with several, "
        "one a line, each signs, so that a secret can be changed without a gap."
    )
    anywhere: bool = Field(
        default=False, description="Whether it may be outside: otherwise only private addresses (RFC 1918, RFC 4193) are called."
    )
    ca_file: Path | None = Field(None, description="The bank's own certificate authority (PEM), for https.")
    within: float = Field(15.0, gt=0, le=30, description="seconds that an answer may take")

    @model_validator(mode="after")
    def _an_address(self) -> Self:
        if not self.url.startswith(("http://", "https://")):
            raise ValueError("expected url to begin with http:// or https://")
        return self


class WebhookSection(PostedSection):
    """One receiver, `[qa.webhooks.NAME]`. Messages are signed as Standard Webhooks are."""

    events: tuple[Literal["scored", "fatal", "failed"], ...] = Field(
        ("scored", "fatal", "failed"), min_length=1, description="What it is told."
    )
