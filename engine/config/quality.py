"""The settings of quality control: which recordings are heard, how carefully, and by which cards they are scored."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

from pydantic import Field

from engine.config.section import NoneIfEmpty, Section, several
from engine.config.webhooks import WebhookSection

_ADDRESS = "://"  # what tells an fsspec address from a path


class CardSection(Section):
    """A scorecard in force. There may be several; a call is scored by each that is meant for it."""

    path: Path = Field(description="The card, a YAML file.")
    when: Mapping[str, str | tuple[str, ...]] = Field(
        {},
        description="Facts that a call must have to be scored by it, each with a value or a list of values: "
        '`{ direction = "outbound", queue = ["overdue", "late"] }`.',
    )

    @property
    def values(self) -> dict[str, tuple[str, ...]]:
        """The facts with all values that will do."""
        return {name: several(found) for name, found in self.when.items()}


class QualitySection(Section):
    """Quality control of every recording: ``callwright qa run``."""

    folder: Path = Field(Path("var/qa"), description="Where masked transcripts and masked sound are kept.")
    inboxes: tuple[str, ...] = Field(
        (),
        description="Where recordings come from: folders, or fsspec addresses (`s3://bucket/calls`). Nothing in them is changed.",
    )
    rest: float = Field(10.0, ge=0, le=3600, description="seconds that a file must not have changed before it is taken")
    every: float = Field(10.0, ge=0.1, le=3600, description="seconds between two looks at the inboxes, with --watch")
    calls: bool = Field(default=True, description="Whether the engine's own calls are taken, from the folder of recordings.")
    siprec: bool = Field(default=True, description="Whether calls recorded by the SIPREC door are taken.")
    cards: tuple[CardSection, ...] = Field((), description="The scorecards in force.")
    live: Mapping[str, Path] = Field(
        {},
        description="The card that watches a flow's calls while they last, on the page Live, by the flow's name; "
        '`main` is that of `[flow]`: `{ main = "service.yaml" }`.',
    )
    tier: Literal["fast", "accurate", "both"] = Field(
        "both", description="How carefully recordings are heard: both = the fast recogniser, the accurate one where it is unsure."
    )
    language: NoneIfEmpty[str] = Field(
        None, description="The language of calls whose description names none, nor their queue; by default it is detected."
    )
    languages: Mapping[str, str] = Field({}, description='The language of each queue: `{ overdue_ru = "ru" }`.')
    executor: Literal["local", "ray"] = Field("local", description="Who does the work: processes of this machine, or Ray.")
    ray: NoneIfEmpty[str] = Field(
        None, description="The Ray cluster's address, `host:port`; without one a Ray is started on this machine, on its loopback."
    )
    webhooks: Mapping[str, WebhookSection] = Field({}, description="Who of the bank's own systems is told of scores, by name.")
    workers: int = Field(1, ge=1, le=1024, description="Worker processes; each holds its own models.")

    def beside(self, folder: Path) -> Self:
        """With every relative path, the inboxes' too, counted from ``folder``."""
        cards = tuple(card.beside(folder) for card in self.cards)
        inboxes = tuple(it if _ADDRESS in it else str(folder / it) for it in self.inboxes)
        return super().beside(folder).model_copy(update={"cards": cards, "inboxes": inboxes})
