"""The engine's settings: one TOML file, every field checked and described. Secrets are never in it, only their files' paths."""

from __future__ import annotations

from engine.config.doors import (
    AudioSocketDoor,
    DoorsSection,
    HttpDoor,
    ListeningDoor,
    SipDoor,
    SiprecDoor,
    TrunkSection,
    VoskDoor,
    WebDoor,
)
from engine.config.file import load_config
from engine.config.quality import CardSection, QualitySection
from engine.config.sections import MAIN, Config, FlowSection

__all__ = [
    "MAIN",
    "AudioSocketDoor",
    "CardSection",
    "Config",
    "DoorsSection",
    "FlowSection",
    "HttpDoor",
    "ListeningDoor",
    "QualitySection",
    "SipDoor",
    "SiprecDoor",
    "TrunkSection",
    "VoskDoor",
    "WebDoor",
    "load_config",
]
