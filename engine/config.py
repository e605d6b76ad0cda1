"""The engine's settings: one TOML file, every field checked and described. Secrets are never in it, only their files' paths."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from engine.asr.endpointer import EndpointPolicy
from engine.core.errors import ConfigError

Port = Annotated[int, Field(ge=0, le=65535)]
T = TypeVar("T")
NoneIfEmpty = Annotated[T | None, BeforeValidator(lambda found: None if found in ("", {}) else found)]
"""What can be switched off: TOML has no null, so an empty string says it."""


class Section(BaseModel):
    """A table of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FlowSection(Section):
    """What the engine talks about."""

    path: Path = Field(description="The flow file; relative paths count from the configuration's folder.")
    language: str | None = Field(None, description="The language calls begin in; by default the flow's first.")


class AsrSection(Section):
    """Who listens."""

    recognisers: Mapping[str, str] = Field(
        {"en": "moonshine", "ru": "whisper", "zh": "whisper"},
        description="The live recogniser of each language, by its registered name.",
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


class EndpointSection(Section):
    """When a caller has finished; seconds from the end of the voice. See ``callwright bench endpoint``."""

    min_speech: float | None = Field(None, gt=0, le=1, description="seconds; shorter sounds are no speech")
    decode_after: float | None = Field(None, gt=0, le=2, description="seconds of silence after which recognition starts")
    complete_wait: float | None = Field(None, gt=0, le=5, description="seconds of silence that end a complete answer")
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


class HttpDoor(Section):
    """The port of the browser phone, the Twilio dialect at /twilio, health and metrics."""

    host: str = Field("127.0.0.1", description="The address to listen on.")
    port: Port = Field(8080, description="0 = any free one.")
    unprotected: Literal["i know"] | None = Field(
        None, description='Must say "i know" to open this door beyond loopback: it has no password of its own.'
    )


class AudioSocketDoor(Section):
    """The port Asterisk's AudioSocket connects to."""

    host: str = Field("127.0.0.1", description="The address to listen on.")
    port: Port = Field(9092, description="0 = any free one.")
    unprotected: Literal["i know"] | None = Field(
        None, description='Must say "i know" to open this door beyond loopback: AudioSocket has no password.'
    )


class DoorsSection(Section):
    """How calls come in."""

    http: HttpDoor = HttpDoor()
    audiosocket: NoneIfEmpty[AudioSocketDoor] = AudioSocketDoor()  # audiosocket = "": no such door


class CallsSection(Section):
    """How many calls."""

    max_calls: int = Field(
        20, ge=1, le=10_000, description="More are refused politely; measure yours with callwright bench latency."
    )
    longest: float = Field(1800.0, gt=10, description="seconds; no call lasts longer")


class Config(Section):
    """The whole file."""

    flow: FlowSection
    host: NoneIfEmpty[HostSection] = None
    asr: AsrSection = AsrSection()
    endpoint: EndpointSection = EndpointSection()
    tts: TtsSection = TtsSection()
    store: StoreSection = StoreSection()
    doors: DoorsSection = DoorsSection()
    calls: CallsSection = CallsSection()

    def beside(self, folder: Path) -> Self:
        """With every relative path counted from ``folder``."""

        def there(path: Path | None) -> Path | None:
            return None if path is None else folder / path

        return self.model_copy(
            update={
                "flow": self.flow.model_copy(update={"path": there(self.flow.path)}),
                "tts": self.tts.model_copy(update={"cache": there(self.tts.cache), "recorded": there(self.tts.recorded)}),
                "store": self.store.model_copy(
                    update={"database": _beside(self.store.database, folder), "recordings": there(self.store.recordings)}
                ),
                "host": self.host and self.host.model_copy(update={"token_file": there(self.host.token_file)}),
            }
        )


def _beside(url: str, folder: Path) -> str:
    """A relative SQLite file, counted from ``folder``."""
    start = "sqlite:///"
    if not url.startswith(start) or url.startswith((start + "/", start + ":memory:")):
        return url
    return f"{start}{(folder / url.removeprefix(start)).resolve()}"


def load_config(path: Path) -> Config:
    """Read and check a configuration file.

    Raises:
        ConfigError: it can't be read, or fields are wrong: one line each, with what was expected and found.
    """
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: expected a configuration file, found: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: expected TOML, found: {error}") from error
    try:
        return Config.model_validate(found).beside(path.resolve().parent)
    except ValidationError as error:
        raise ConfigError("\n".join(_problem(path, one) for one in error.errors())) from None


def _problem(path: Path, error: Any) -> str:
    field = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"{path}: {field}: no such setting"
    return f"{path}: {field}: {error['msg']}, found {error['input']!r}"
