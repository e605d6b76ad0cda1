"""From the text of a campaign file to the campaign, or to everything that is wrong with it. Reads only what it is handed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence

from engine.core.units import Language
from engine.outbound.calendar_file import CalendarReader
from engine.outbound.campaign import (
    Campaign,
    CampaignErrors,
    Field,
    FieldKind,
    Machine,
    Purpose,
)
from engine.outbound.campaign_reading import CampaignReading
from engine.outbound.contacts import Outcome
from engine.outbound.numbers import COUNTRIES, read_number
from engine.outbound.policy_file import PolicyReader
from engine.outbound.windows import zone_named
from engine.written.problems import Problem
from engine.written.reading import shown
from engine.written.yaml_tree import Path, Value, read_tree

KEYS = (
    *("campaign", "title", "purpose", "flow", "languages", "caller_id", "country", "zone", "windows", "holidays", "first_day"),
    *("last_day", "caps", "retries", "consent", "do_not_call", "hold_back", "machine", "message", "pacing", "priority"),
    *("follow_up", "fields", "columns"),
)
NEEDED = ("campaign", "purpose", "flow", "languages", "windows", "holidays", "caps", "consent")
OWN_COLUMNS = ("phone", "customer", "language", "zone", "country", "consent", "consent_at")
"""What a list may say of a contact besides the campaign's fields."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_BASIS = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_BRACES = re.compile(r"\{([^{}]*)\}")


def parse_campaign(text: str, name: str) -> Campaign:
    """Read a campaign file. ``name`` is what to call it in messages.

    Raises:
        CampaignErrors: it can't be used; all problems at once.
    """
    tree = read_tree(text, name, CampaignErrors)
    reading = CampaignReading(tree, name)
    found = _Reader(reading, reading.mapping(tree.value, (), KEYS, NEEDED)).campaign(text)
    if reading.problems:
        raise CampaignErrors(dict.fromkeys(reading.problems))
    return found


def problems_in(text: str, name: str) -> Sequence[Problem]:
    """Everything that is wrong with a campaign file; empty when it can be used."""
    try:
        parse_campaign(text, name)
    except CampaignErrors as error:
        return error.problems
    return ()


class _Reader:
    """Reads the file's keys, one a method."""

    def __init__(self, reading: CampaignReading, keys: Mapping[str, Value]) -> None:
        self._reading, self._keys = reading, keys

    def campaign(self, text: str) -> Campaign:
        languages = self._languages()
        purpose = self._reading.choice(self._keys["purpose"], ("purpose",), Purpose) if "purpose" in self._keys else Purpose.OFFER
        fields = self._fields()
        policy = PolicyReader(self._reading, self._keys)
        return Campaign(
            name=self._matching("campaign", _NAME, "a name of small letters, digits, - and _") or "",
            title=self._text("title"),
            revision=hashlib.sha256(text.encode()).hexdigest(),
            purpose=purpose,
            flow=self._text("flow"),
            languages=languages,
            caller_id=self._caller_id(),
            country=self._country(),
            zone=self._zone(),
            calendar=CalendarReader(self._reading, self._keys).calendar(),
            caps=policy.caps(),
            retries=policy.retries(),
            consent=self._consent(),
            lists=self._lists(),
            hold_back=policy.hold_back(purpose),
            machine=self._machine(),
            message=self._message(languages, fields),
            pacing=policy.pacing(),
            priority=self._priority(),
            follow_up=self._follow_up(),
            fields=fields,
            columns=self._columns(fields),
        )

    def _text(self, key: str) -> str:
        return self._reading.text(self._keys[key], (key,)) if key in self._keys else ""

    def _matching(self, key: str, pattern: re.Pattern[str], expected: str) -> str | None:
        if key not in self._keys:
            return None
        value = self._keys[key]
        if not isinstance(value, str) or not pattern.fullmatch(value):
            self._reading.wrong((key,), expected, shown(value))
            return None
        return value

    def _languages(self) -> Sequence[Language]:
        found: list[Language] = []
        value = self._keys.get("languages", [])
        for n, it in enumerate(self._reading.items(value, ("languages",), "languages") if "languages" in self._keys else ()):
            if not isinstance(it, str) or not re.fullmatch(r"[a-z]{2,3}", it):
                self._reading.wrong(("languages", n), "a language as two or three small letters, such as en", shown(it))
            elif it in found:
                self._reading.wrong(("languages", n), "each language once", f"{it!r} again")
            else:
                found.append(Language(it))
        return found or [Language("en")]

    def _caller_id(self) -> str | None:
        written = self._text("caller_id")
        number = read_number(written, None) if written else None
        if written and (number is None or isinstance(number, str)):
            self._reading.wrong(("caller_id",), 'a number in quotes with its country, such as "+74950000000"', shown(written))
            return None
        return None if number is None or isinstance(number, str) else number.e164

    def _country(self) -> str | None:
        value = self._keys.get("country")
        if "country" in self._keys and (not isinstance(value, str) or value not in COUNTRIES):
            self._reading.wrong(("country",), "a country as two capital letters, such as KZ", shown(value))
        return value if isinstance(value, str) else None

    def _zone(self) -> str | None:
        value = self._keys.get("zone")
        if "zone" in self._keys and (not isinstance(value, str) or zone_named(value) is None):
            self._reading.wrong(("zone",), "an IANA time zone, such as Asia/Almaty", shown(value))
        return value if isinstance(value, str) else None

    def _consent(self) -> frozenset[str] | None:
        value = self._keys.get("consent")
        if value == "not_needed" or "consent" not in self._keys:
            return None
        if not isinstance(value, list):
            self._reading.wrong(("consent",), "a list of bases, such as [contract, opt_in], or not_needed", shown(value))
            return frozenset()
        return frozenset(self._words("consent", "a basis such as contract or opt_in"))

    def _lists(self) -> Sequence[str]:
        return self._words("do_not_call", "a list's name, such as national") if "do_not_call" in self._keys else ()

    def _words(self, key: str, expected: str) -> Sequence[str]:
        found = []
        for n, it in enumerate(self._reading.items(self._keys[key], (key,), "names")):
            if not isinstance(it, str) or not _BASIS.fullmatch(it):
                self._reading.wrong((key, n), expected, shown(it))
            else:
                found.append(it)
        return found

    def _machine(self) -> Machine:
        found = self._reading.choice(self._keys["machine"], ("machine",), Machine) if "machine" in self._keys else Machine.HANG_UP
        if found is Machine.LEAVE_MESSAGE and "message" not in self._keys:
            self._reading.wrong(("machine",), "the key 'message' beside leave_message", "none")
        if found is Machine.HANG_UP and "message" in self._keys:
            self._reading.wrong(("message",), "machine: leave_message where there is a message", "hang_up")
        return found

    def _message(self, languages: Sequence[Language], fields: Mapping[str, Field]) -> Mapping[Language, str]:
        if "message" not in self._keys:
            return {}
        keys = self._reading.part(self._keys, "message", languages, languages)
        for language, text in keys.items():
            for name in _BRACES.findall(text) if isinstance(text, str) else ():
                if name not in fields:
                    self._reading.wrong(("message", language), "a field of the campaign in braces", repr(name))
        return {Language(it): self._reading.text(text, ("message", it)) for it, text in keys.items()}

    def _priority(self) -> int:
        if "priority" not in self._keys:
            return 50
        found = self._reading.count(self._keys["priority"], ("priority",), 0)
        if found > 100:
            self._reading.wrong(("priority",), "a whole number from 0 to 100", str(found))
        return found

    def _follow_up(self) -> Mapping[Outcome, Sequence[str]]:
        outcomes = [it.value for it in Outcome]
        keys = self._reading.part(self._keys, "follow_up", outcomes)
        found = {}
        for name, value in keys.items():
            if name in outcomes:
                path: Path = ("follow_up", name)
                ways = [self._reading.name(it, (*path, n)) for n, it in enumerate(self._reading.items(value, path, "ways"))]
                found[Outcome(name)] = ways
        return found

    def _fields(self) -> Mapping[str, Field]:
        value = self._keys.get("fields", {})
        if not isinstance(value, dict):
            self._reading.wrong(("fields",), "the fields' names, each with its kind", shown(value))
            return {}
        found = {}
        for name, it in value.items():
            path: Path = ("fields", name)
            if self._reading.name(name, path) and name in OWN_COLUMNS:
                self._reading.wrong(path, "another name: this one is every list's own", repr(name))
            found[name] = self._field(it, path)
        return found

    def _field(self, value: Value, path: Path) -> Field:
        if isinstance(value, str):
            return Field(self._reading.choice(value, path, FieldKind))
        keys = self._reading.mapping(value, path, ("kind", "required"), ("kind",))
        kind = self._reading.choice(keys["kind"], (*path, "kind"), FieldKind) if "kind" in keys else FieldKind.TEXT
        return Field(kind, self._reading.yes(keys["required"], (*path, "required")) if "required" in keys else True)

    def _columns(self, fields: Mapping[str, Field]) -> Mapping[str, str]:
        keys = self._reading.part(self._keys, "columns", (*OWN_COLUMNS, *fields))
        return {name: self._reading.text(it, ("columns", name)) for name, it in keys.items()}
