"""Whether what a configuration names can be used, as far as this machine's files tell: flows and cards, tokens, certificates and
keys, and names that one table uses of another. Nothing is asked over the network, no database is opened, no model is loaded.

Each is read as the engine itself reads it, so that what passes here does not stop ``callwright serve`` later. Readers begin their
messages with the setting, and show nothing of what a secret's file holds.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from engine.asr.registry import recogniser_names
from engine.config import MAIN, Config, ListeningDoor, WebDoor, load_config
from engine.config.doors import SignallingDoor
from engine.config.file import Setting, place
from engine.config.named_files import text_in, trusting
from engine.config.webhooks import PostedSection
from engine.core.errors import ConfigError
from engine.core.units import Language
from engine.dialogue.scope import check_scope
from engine.ivr.files import load_flow
from engine.qa.files import load_scorecard
from engine.runtime.outbound.service import can_carry
from engine.runtime.quality.webhooks import Receiver
from engine.runtime.workers import chosen
from engine.server.doors.audiosocket import can_announce
from engine.server.doors.common import protection
from engine.server.doors.sip import trunk
from engine.server.doors.tls import tls_of
from engine.server.oidc import issuer_of
from engine.server.token import Token
from engine.store.audit import read_key
from engine.store.keys import keys_of
from engine.tts.registry import voice_names
from engine.written.problems import WrittenErrors


@dataclass(frozen=True, slots=True)
class Unusable:
    """A setting that can't be used."""

    setting: Setting

    told: str
    """What was expected, what was found."""


Look: TypeAlias = Callable[[Config], Iterator[Unusable]]


def load_usable(path: Path, look: Look) -> Config:
    """Read a configuration of which everything can be used that ``look`` looks at.

    Raises:
        ConfigError: not everything can; each with the line that names it, what was expected and what was found.
    """
    config = load_config(path)
    if found := list(look(config)):
        raise ConfigError("\n".join(f"{place(path, it.setting)}: {it.told}" for it in found))
    return config


def everything(config: Config) -> Iterator[Unusable]:
    """What any process of these settings needs."""
    yield from of_engine(config)
    yield from _door("desk", config.doors.desk)
    yield from _scoring(config)


def of_engine(config: Config) -> Iterator[Unusable]:
    """What ``callwright serve`` needs."""
    yield from _of_flows(config, _talks)
    if config.flow is None:
        yield from _tried(("asr",), _are_heard, config, config.asr.languages)
    if config.host is not None and config.host.token_file is not None:
        yield from _tried(("host", "token_file"), text_in, "host.token_file", config.host.token_file)
    yield from _house(config)
    for name in type(config.open_doors).model_fields:
        if name != "desk":
            yield from _door(name, getattr(config.open_doors, name))
    yield from _by_socket(config)
    yield from _by_sip(config)
    yield from _outbound(config)
    yield from _cards_beside_calls(config)


def of_desks(config: Config) -> Iterator[Unusable]:
    """What ``callwright serve --only desk`` needs."""
    yield from _of_flows(config, lambda _, path: load_flow(path))
    yield from _house(config)
    yield from _door("desk", config.doors.desk)


def _tried(setting: Setting, use: Callable[..., object], *needed: object) -> Iterator[Unusable]:
    """What its own reader says of a setting, or of one below it."""
    name = ".".join(map(str, setting))
    try:
        use(*needed)
    except WrittenErrors as error:
        yield Unusable(setting, f"expected {error.subject} that can be used, found:\n{error}")
    except ConfigError as error:
        subject, _, told = str(error).partition(": ")
        if subject == name or subject.startswith(f"{name}."):
            yield Unusable((*setting, *subject.removeprefix(name).split(".")[1:]), told)
        else:
            yield Unusable(setting, str(error))


def _of_flows(config: Config, use: Callable[[Config, Path], object]) -> Iterator[Unusable]:
    for name, path in config.flow.paths.items() if config.flow else ():
        yield from _tried(("flow", "path") if name == MAIN else ("flow", "others", name), use, config, path)


def _talks(config: Config, path: Path) -> None:
    """Load a flow, and see that somebody hears and says its languages."""
    flow = load_flow(path)
    check_scope(flow, config.flow.speech_alone if config.flow else None)
    _are_heard(config, flow.languages)
    for language in flow.languages:
        _installed(chosen(language, config.tts.voices, "tts.voices"), voice_names(), f"tts.voices.{language}")


def _are_heard(config: Config, languages: Sequence[str]) -> None:
    for language in map(Language, languages):
        name, _ = config.asr.loaded(chosen(language, config.asr.recognisers, "asr.recognisers"))
        _installed(name, recogniser_names(), f"asr.recognisers.{language}")


def _installed(name: str, installed: Collection[str], setting: str) -> None:
    if name not in installed:
        raise ConfigError(f"{setting}: expected one that is installed ({', '.join(installed)}), found {name!r}")


def _house(config: Config) -> Iterator[Unusable]:
    """What any process reads that keeps calls and lets people in."""
    yield from _tried(("store", "key_file"), keys_of, config.store.key_file)
    yield from _tried(("access", "audit_key_file"), read_key, config.access.audit_key_file)
    yield from _tried(("access", "oidc"), issuer_of, config.access.oidc)


def _door(name: str, door: ListeningDoor | None) -> Iterator[Unusable]:
    setting = ("doors", name)
    if door is None:
        return
    yield from _tried(setting, protection, f"doors.{name}", door)
    if isinstance(door, WebDoor | SignallingDoor):
        yield from _tried(setting, tls_of, f"doors.{name}", door)
    if isinstance(door, WebDoor):
        yield from _tried((*setting, "token_file"), Token.read, f"doors.{name}.token_file", door.token_file)


def _by_socket(config: Config) -> Iterator[Unusable]:
    door = config.open_doors.audiosocket
    if door is not None:
        yield from _tried(("doors", "audiosocket"), can_announce, config, door)


def _by_sip(config: Config) -> Iterator[Unusable]:
    door = config.open_doors.sip
    if door is None:
        return
    if door.tls_servers is not None:
        yield from _tried(("doors", "sip", "tls_servers"), trusting, "doors.sip.tls_servers", door.tls_servers)
    for at, account in enumerate(door.trunks):
        yield from _tried(("doors", "sip", "trunks", at), trunk, at, account)
    for called, flow in door.flows.items():
        yield from _named(("doors", "sip", "flows", called), flow, _flows(config), "the name of a flow")


def _outbound(config: Config) -> Iterator[Unusable]:
    section, sip = config.outbound, config.open_doors.sip
    if section is None:
        return
    yield from _tried(("outbound",), can_carry, config, section)
    if section.carrier == "sip" and section.sip.trunk:
        trunks = [it.name for it in sip.trunks] if sip else []
        yield from _named(("outbound", "sip", "trunk"), section.sip.trunk, trunks, "the name of one of doors.sip.trunks")
    if section.asterisk is not None and section.carrier == "asterisk":
        setting = "outbound.asterisk.secret_file"
        yield from _tried(("outbound", "asterisk", "secret_file"), text_in, setting, section.asterisk.secret_file)
    yield from _receivers(("outbound", "follow_up"), section.follow_up)
    yield from _receivers(("outbound", "webhooks"), section.webhooks)


def _receivers(table: Setting, sections: Mapping[str, PostedSection]) -> Iterator[Unusable]:
    for name, section in sections.items():
        setting = (*table, name)
        yield from _tried(setting, Receiver.of, name, ".".join(map(str, setting)), section)


def _cards_beside_calls(config: Config) -> Iterator[Unusable]:
    for name, path in config.qa.live.items():
        yield from _named(("qa", "live", name), name, _flows(config), "the name of a flow")
        yield from _tried(("qa", "live", name), load_scorecard, path)


def _scoring(config: Config) -> Iterator[Unusable]:
    """What ``callwright qa run`` needs."""
    for number, card in enumerate(config.qa.cards):
        yield from _tried(("qa", "cards", number, "path"), load_scorecard, card.path)
    yield from _receivers(("qa", "webhooks"), config.qa.webhooks)


def _flows(config: Config) -> Collection[str]:
    return config.flow.paths if config.flow else ()


def _named(setting: Setting, found: str, known: Collection[str], meant: str) -> Iterator[Unusable]:
    """Whether a name is one that another table gives."""
    if found not in known:
        yield Unusable(setting, f"expected {meant} ({', '.join(known) or 'there is none'}), found {found!r}")
