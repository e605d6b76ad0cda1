"""How alike two words are, for a card that asks what was meant and a recogniser that may have heard a letter wrong.

A cost from 0.0 (the same word) to 1.0 (another word). In between: another form of the same word, a word that sounds the same
(English; Chinese but for the tone), a slip of one letter, or of two in a long word. Numerals are the same or they aren't.
"""

from __future__ import annotations

import re

from rapidfuzz.distance import Levenshtein

from engine.nlu.soundalike import skeleton
from engine.qa.pinyin import sound_alike

SAME = 0.0
OTHER = 1.0
_OTHER_FORM = 0.05
_PER_EDIT = 0.25  # letters wrong, missing or too many
_SOUNDS_ALIKE = 0.25
_SAME_SYLLABLE = 0.3  # Chinese; more than a phrase of one character may cost, or any of its dozens of homophones would do
_ONE_EDIT_FROM = 5  # letters; in shorter words a letter makes another word
_TWO_EDITS_FROM = 8  # letters
_SHORTEST_STEM = 3  # letters

_ENGLISH_ENDING = re.compile(r"(?:'s|'|ing|ies|ied|es|ed|s|y|e)$")
_RUSSIAN_ENDINGS = """
    иями ями ами ией иям ием иях ого его ому ему ыми ими ете ите йте ешь ишь ала ила ыла ать ить еть али или ят ют ут ет ит ем им
    ый ий ой ая яя ое ее ые ие ых их ую юю ью ом ам ям ах ях ов ев ей ал ил а я о е и ы у ю ь й
"""  # nouns', adjectives' and verbs', the longest first; after Porter's Russian stemmer, much shortened
_RUSSIAN_ENDING = re.compile(rf"(?:{'|'.join(_RUSSIAN_ENDINGS.split())})(?:ся|сь)?$")


def stem(word: str) -> str:
    """What forms of a word have in common: ``calls`` and ``calling``, ``transfer`` and ``transferred``, ``счета``, ``счетом``."""
    ending = _ENGLISH_ENDING if word.isascii() else _RUSSIAN_ENDING
    found = ending.search(word)
    bare = word[: found.start()] if found and found.start() >= _SHORTEST_STEM else word
    doubled = word.isascii() and len(bare) > _SHORTEST_STEM and bare[-1] == bare[-2]
    return bare[:-1] if doubled else bare


def unlikeness(wanted: str, heard: str) -> float:
    """How far the word that was heard is from the wanted one, 0.0 to 1.0."""
    if wanted == heard:
        return SAME
    if not (wanted[0].isalpha() and heard[0].isalpha()) or min(len(wanted), len(heard)) == 1:
        return _SAME_SYLLABLE if sound_alike(wanted, heard) else OTHER
    if stem(wanted) == stem(heard):
        return _OTHER_FORM
    edits = Levenshtein.distance(wanted, heard, score_cutoff=2)
    if edits <= _allowed(len(wanted)):
        return _PER_EDIT * edits
    return _SOUNDS_ALIKE if edits <= 2 and _sound_alike(wanted, heard) else OTHER


def _allowed(letters: int) -> int:
    return 2 if letters >= _TWO_EDITS_FROM else 1 if letters >= _ONE_EDIT_FROM else 0


def _sound_alike(wanted: str, heard: str) -> bool:
    ascii_words = wanted.isascii() and heard.isascii()
    return ascii_words and len(wanted) >= _ONE_EDIT_FROM and skeleton(wanted) == skeleton(heard)
