"""What a menu's label is called when it is said: a title, other names for it, and a node's name.

Labels were written for a finger over the keys: "For cards, press 1", "Block a card / lost card (debit or credit)".
"""

from __future__ import annotations

import re

_PRESS = re.compile(  # "For cards, press 1", "Чтобы узнать баланс, нажмите 2", "查询余额请按1"
    r"^(?:for|to|для|чтобы)\s+|[,，]?\s*(?:please\s+)?(?:press|dial|нажмите|наберите|请按|按)\s*[0-9*#]+[.。]?$", re.IGNORECASE
)
_ASIDE = re.compile(r"[(（]([^)）]*)[)）]")
_APART = re.compile(r"\s*[/;；、]\s*")
_ARTICLE = re.compile(r"\b(?:a|an|the|my|your)\s+", re.IGNORECASE)
_NOT_SPOKEN = re.compile(r"[\W_]+")
_NOT_IN_NAMES = re.compile(r"[^a-z0-9]+")


def title_of(label: str) -> str:
    """The label's first part, without the key it names and without asides."""
    parts = _parts(label)
    return (parts[0] if parts else label).replace("{", "(").replace("}", ")")


def other_names(label: str) -> list[str]:
    """Other ways to say the label: its parts, its asides, itself without articles."""
    title = title_of(label)
    found = [*_parts(label)[1:], *(it.strip() for it in _ASIDE.findall(label)), _ARTICLE.sub("", title)]
    return [it for it in dict.fromkeys(found) if len(it) > 1 and "{" not in it and as_said(it) != as_said(title)]


def as_said(name: str) -> str:
    """What is left of a name when it is said aloud: neither capitals nor punctuation."""
    return _NOT_SPOKEN.sub(" ", name.casefold()).strip()


def slug(label: str) -> str:
    """A node's name out of a label in Latin letters; empty for other scripts."""
    title = title_of(label)
    return _NOT_IN_NAMES.sub("_", title.casefold()).strip("_")[:40].strip("_") if title.isascii() and title[:1].isalpha() else ""


def _parts(label: str) -> list[str]:
    plain = _PRESS.sub("", _PRESS.sub("", _ASIDE.sub("", label)))
    return [part for it in _APART.split(plain) if (part := it.strip(" .。:：,，"))]
