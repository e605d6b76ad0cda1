"""Values in a caller's words: each finder takes a text and its language and returns the value with its place, or ``None``."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from engine.nlu.interpretation import Question
from engine.nlu.slots.amount import find_amount
from engine.nlu.slots.card_type import find_card_type
from engine.nlu.slots.date import find_date
from engine.nlu.slots.digits import find_digits
from engine.nlu.slots.found import Found
from engine.nlu.slots.moment import find_moment
from engine.nlu.slots.phone import find_phone
from engine.nlu.slots.yes_no import find_yes_no

__all__ = [
    "Found",
    "find_amount",
    "find_card_type",
    "find_date",
    "find_digits",
    "find_moment",
    "find_phone",
    "find_slot",
    "find_slots",
    "find_yes_no",
]

_FEWEST_UNASKED = 3  # digits; "one card" is no code


def _date(text: str, question: Question) -> Found | None:
    return find_date(text, question.language, question.today) if question.today else None


def _moment(text: str, question: Question) -> Found | None:
    wanted = "moment" in {question.slot, *question.also}
    return find_moment(text, question.language, question.local) if wanted and question.local else None


_FINDERS: Mapping[str, Callable[[str, Question], Found | None]] = {
    "digits": lambda text, question: find_digits(text, question.language),
    "amount": lambda text, question: find_amount(text, question.language),
    "date": _date,
    "moment": _moment,
    "phone": lambda text, question: find_phone(text, question.language, question.region),
    "yes_no": lambda text, question: find_yes_no(text, question.language),
    "card_type": lambda text, question: find_card_type(text, question.language),
}


def find_slot(slot: str, text: str, question: Question) -> Found | None:
    """Find a value of one slot type; ``None`` for a type that isn't known here, and for dates without ``question.today``."""
    finder = _FINDERS.get(slot)
    return finder(text, question) if finder else None


def find_slots(text: str, question: Question) -> dict[str, str]:
    """Find what was asked for, and what else was said unasked as far as it is unmistakable."""
    found = {slot: value for slot in _FINDERS if (value := find_slot(slot, text, question))}
    return {slot: value.value for slot, value in found.items() if slot == question.slot or _unmistakable(slot, value)}


def _unmistakable(slot: str, found: Found) -> bool:
    if slot == "digits":
        return len(found.value) >= _FEWEST_UNASKED
    return slot != "amount" or " " in found.value  # an amount with its currency
