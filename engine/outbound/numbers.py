"""Telephone numbers as people write them, made E.164, with what a number tells of its owner's country and hour.

By the ranges that Google's libphonenumber knows (``phonenumbers``). A number that can't be called, or that is not one person's
(emergency, premium rate, an extension behind a switchboard), is refused with the reason.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberType
from phonenumbers.timezone import time_zones_for_number

COUNTRIES: Final = frozenset(phonenumbers.SUPPORTED_REGIONS)
"""ISO 3166 codes of the countries whose numbers are known."""

_LONGEST: Final = 40  # characters; with room for blanks and brackets
_NOBODYS: Final = {
    PhoneNumberType.UNKNOWN: "no number that is given out",
    PhoneNumberType.PREMIUM_RATE: "a number at a premium rate",
    PhoneNumberType.SHARED_COST: "a number at a shared cost",
    PhoneNumberType.TOLL_FREE: "a number that is free to call, so a company's",
    PhoneNumberType.UAN: "a company's number",
    PhoneNumberType.PAGER: "a pager's number",
    PhoneNumberType.VOICEMAIL: "a voice mailbox's number",
}
_UNKNOWN_ZONE: Final = "Etc/Unknown"


@dataclass(frozen=True, slots=True)
class Number:
    """A number that can be called."""

    e164: str = field(repr=False)

    country: str | None
    """ISO 3166; ``None`` where the number could be several countries'."""

    zones: tuple[str, ...]
    """Where its owner may live, as IANA zones; one where that is sure."""


def read_number(written: str, country: str | None) -> Number | str:
    """The number, or what was found instead. ``country`` is whose numbers are meant where none is written."""
    text = unicodedata.normalize("NFKC", written).strip()
    if len(text) > _LONGEST:
        return f"{len(text)} characters"
    if any(it.isalpha() for it in text):
        return "letters"
    try:
        found = phonenumbers.parse(text, country)
    except NumberParseException as error:
        return _unread(error, country)
    return _not_to_call(found) or _number(found)


def _not_to_call(found: phonenumbers.PhoneNumber) -> str | None:
    if found.extension:
        return "an extension behind a switchboard"
    return _NOBODYS.get(phonenumbers.number_type(found))


def _number(found: phonenumbers.PhoneNumber) -> Number:
    e164 = phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164)
    zones = tuple(it for it in time_zones_for_number(found) if it != _UNKNOWN_ZONE)
    return Number(e164, _country(found), zones)


def _country(found: phonenumbers.PhoneNumber) -> str | None:
    region = phonenumbers.region_code_for_number(found)
    return region if region in COUNTRIES else None


def _unread(error: NumberParseException, country: str | None) -> str:
    match error.error_type:
        case NumberParseException.INVALID_COUNTRY_CODE if country is None:
            return "no country's code, and neither the row nor the campaign names a country"
        case NumberParseException.INVALID_COUNTRY_CODE:
            return "a country's code that does not exist"
        case NumberParseException.TOO_SHORT_NSN | NumberParseException.TOO_SHORT_AFTER_IDD:
            return "too few digits"
        case NumberParseException.TOO_LONG:
            return "too many digits"
    return "no number"
