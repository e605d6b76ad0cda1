"""Phone numbers, as E.164; judged by the ``phonenumbers`` metadata, so that a number too short for its country is none."""

from __future__ import annotations

import re

import phonenumbers

from engine.core.speech import CHINESE, RUSSIAN
from engine.core.units import Language
from engine.nlu.numbers import digit_runs
from engine.nlu.slots.found import Found
from engine.nlu.wording import folded

_REGIONS = {RUSSIAN: "RU", CHINESE: "CN"}
_PLUS = re.compile(r"(?:\+|\bplus\b|\bплюс\b|加号?)\s*\(?$")


def find_phone(text: str, language: Language, region: str | None = None) -> Found | None:
    """Find a phone number.

    ``region``: where numbers without a country code are dialled, ISO 3166-1 alpha-2; by default the language's country,
    ``US`` for English.
    """
    plain = folded(text)
    for run in digit_runs(plain, language):
        plus = _PLUS.search(plain[: run.start])
        written = ("+" if plus else "") + run.digits
        try:
            parsed = phonenumbers.parse(written, region or _REGIONS.get(language, "US"))
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(parsed):
            e164 = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
            return Found(e164, plus.start() if plus else run.start, run.end)
    return None
