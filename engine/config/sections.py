"""The tables of the configuration, but for the doors'."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import Field, model_validator

from engine.asr.endpoint_policy import EndpointPolicy
from engine.config.access import AccessSection
from engine.config.doors import DoorsSection
from engine.config.keeping import KeepingSection
from engine.config.outbound import OutboundSection
from engine.config.quality import QualitySection
from engine.config.section import NoneIfEmpty, Section

MAIN: Final = "main"
"""The name of the flow that calls get which ask for none."""


class FlowSection(Section):
    """What the engine talks about."""

    path: Path = Field(description="The flow file; relative paths count from the configuration's folder.")
    language: str | None = Field(None, description="The language calls begin in; by default the flow's first.")
    others: Mapping[str, Path] = Field(
        {}, description='Further flow files, by the name a call may ask for: `{ cards = "cards.yaml" }`.'
    )
    speech_alone: tuple[str, ...] | None = Field(
        None,
        description="Operations of the bank's host for callers whom nobody has verified; a flow that opens others to them is "
        "refused. Left out: what the flow says.",
    )

    @property
    def paths(self) -> dict[str, Path]:
        """All flow files, by name; the first is what calls get that ask for none."""
        return {MAIN: self.path, **self.others}


class AsrSection(Section):
    """Who listens."""

    recognisers: Mapping[str, str] = Field(
        {"en": "moonshine", "ru": "whisper", "zh": "whisper"},
        description="The live recogniser of each language, by its registered name.",
    )
    settings: Mapping[str, Mapping[str, str | int | float | bool]] = Field(
        {},
        description="What a recogniser is loaded with, a table each: `{ russian = { recogniser = 'vosk', model = '/srv/vosk-ru', "
        "language = 'ru' } }`. `recogniser` says which registered one, where the table's name is a name of yours.",
    )
    languages: tuple[str, ...] = Field(
        (), description="What doors that only listen (vosk, siprec) recognise; by default the flow's languages, or English."
    )
    second: NoneIfEmpty[str] = Field("whisper", description='Who gives a second opinion on unsure turns; "" = nobody.')
    workers: int = Field(
        2, ge=1, le=64, description="Processes for the recogniser of the flow's first language; the others get one each."
    )
    batch: int = Field(4, ge=1, le=16, description="Most utterances of different calls that are recognised together.")
    vad: Literal["webrtc", "silero", "both"] = Field("both", description="The voice activity detector: see callwright bench vad.")
    lean_towards_phrases: bool = Field(
        default=False, description="Lean towards the names of the node's choices; costs a third more time, and has not paid off."
    )

    def loaded(self, name: str) -> tuple[str, dict[str, str | int | float | bool]]:
        """The registered name of a recogniser, and what it is loaded with."""
        settings = dict(self.settings.get(name, {}))
        return str(settings.pop("recogniser", name)), settings


class EndpointSection(Section):
    """When a caller has finished; seconds from the end of the voice. See ``callwright bench endpoint``."""

    min_speech: float | None = Field(None, gt=0, le=1, description="seconds; shorter sounds are no speech")
    decode_after: float | None = Field(None, gt=0, le=2, description="seconds of silence after which recognition starts")
    complete_wait: float | None = Field(None, gt=0, le=5, description="seconds of silence that end a complete answer")
    finished_wait: float | None = Field(None, gt=0, le=5, description="seconds of silence that end what only sounds finished")
    unknown_wait: float | None = Field(None, gt=0, le=5, description="seconds of silence that end what can't be judged")
    incomplete_wait: float | None = Field(None, gt=0, le=10, description="seconds of silence that end an incomplete answer")
    partial_every: float | None = Field(None, ge=0, le=5, description="seconds between partial results; 0 = none")
    longest: float | None = Field(None, gt=1, le=60, description="seconds; the hard cap of one turn")
    take_back: float | None = Field(
        None, ge=0, le=5, description="seconds in which a caller who goes on is taken back into the turn"
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        """Let the endpointer itself say whether the waits fit each other."""
        _ = self.policy
        return self

    @property
    def policy(self) -> EndpointPolicy:
        """As the endpointer takes it; what is left out has its measured default."""
        known = {field.name for field in fields(EndpointPolicy)}
        return EndpointPolicy(**{k: v for k, v in self.model_dump().items() if v is not None and k in known})


class TtsSection(Section):
    """Who speaks."""

    voices: Mapping[str, str] = Field(
        {"en": "piper", "ru": "espeak", "zh": "espeak"}, description="The voice of each language, by its registered name."
    )
    cache: Path = Field(Path("var/prompts"), description="Where rendered prompts are kept.")
    recorded: Path | None = Field(
        None, description="A folder of the bank's own recordings, <language>/<prompt>.wav; they take precedence."
    )


class HostSection(Section):
    """The bank's own system."""

    url: str = Field(description="http://host:port of the service that answers operations.")
    token_file: Path | None = Field(None, description="A file that holds the bearer token.")
    within: float = Field(4.0, gt=0, le=60, description="seconds an answer may take")


class StoreSection(Section):
    """What is kept."""

    database: str = Field("sqlite:///var/callwright.db", description="An SQLAlchemy address.")
    recordings: NoneIfEmpty[Path] = Field(
        Path("var/recordings"), description='Where recordings are kept; "" = nothing is recorded.'
    )
    key_file: NoneIfEmpty[Path] = Field(
        None,
        description='The keys that recordings are encrypted with, made by `callwright keys make`; "" = they are not encrypted.',
    )

    aside: Path = Field(
        Path("var/aside"), description="Where calls are written down while the database is away; brought into it when it is back."
    )
    least_free: int = Field(
        256, ge=0, description="Megabytes: with less room where anything of this is kept, no new call is taken."
    )

    def beside(self, folder: Path) -> Self:
        """With every relative path, an SQLite file's too, counted from ``folder``."""
        return super().beside(folder).model_copy(update={"database": _beside(self.database, folder)})


def _beside(url: str, folder: Path) -> str:
    """A relative SQLite file, counted from ``folder``."""
    start = "sqlite:///"
    if not url.startswith(start) or url.startswith((start + "/", start + ":memory:")):
        return url
    return f"{start}{(folder / url.removeprefix(start)).resolve()}"


class AssistSection(Section):
    """Silent agents: people who hear the phrases that the engine is unsure of, and answer within seconds."""

    board: Literal["local", "database"] = Field(
        "local",
        description="Where phrases lie until they are answered: in the engine's own memory, or in `store.database`, for desks "
        "served by other processes (`callwright serve --only desk`).",
    )
    phrases: NoneIfEmpty[Path] = Field(
        None, description='Where the phrases that agents answered are kept as sound, to learn from; "" = nowhere.'
    )


class CallsSection(Section):
    """How many calls."""

    max_calls: int = Field(
        20, ge=1, le=10_000, description="More are refused politely; measure yours with callwright bench capacity."
    )
    longest: float = Field(1800.0, gt=10, description="seconds; no call lasts longer")


class Config(Section):
    """The whole file."""

    flow: FlowSection | None = None
    host: NoneIfEmpty[HostSection] = None
    asr: AsrSection = AsrSection()
    endpoint: EndpointSection = EndpointSection()
    tts: TtsSection = TtsSection()
    store: StoreSection = StoreSection()
    doors: DoorsSection = DoorsSection()
    access: AccessSection = AccessSection()
    calls: CallsSection = CallsSection()
    assist: AssistSection | None = None
    outbound: OutboundSection | None = None
    qa: QualitySection = QualitySection()
    keeping: KeepingSection | None = None

    @model_validator(mode="after")
    def _some_use(self) -> Self:
        """Let an engine without a flow be one that only listens."""
        talks = [name for name in ("audiosocket", "sip") if name in self.doors.model_fields_set and getattr(self.doors, name)]
        if self.flow is None and talks:
            raise ValueError(f"expected [flow] for doors.{talks[0]}, found none")
        listens = self.doors.vosk or self.doors.siprec
        if self.flow is None and not listens and "qa" not in self.model_fields_set:
            raise ValueError(
                "expected [flow], or a door that only listens ([doors.vosk], [doors.siprec]), or [qa], found neither"
            )
        return self

    @property
    def open_doors(self) -> DoorsSection:
        """Those to open: an engine without a flow opens only what the file names."""
        if self.flow is not None:
            return self.doors
        unnamed = {"http", "audiosocket"} - self.doors.model_fields_set
        return self.doors.model_copy(update=dict.fromkeys(unnamed))
