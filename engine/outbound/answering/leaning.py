"""How far the words of a greeting lean towards a machine: the sum of the log-odds of its terms.

:mod:`engine.outbound.answering.wording` knows pieces that no person says, and in many a greeting they come late. What comes
before them leans too: "the", "your" and "please" towards a machine, "who" and "алло" towards a person. How far each term leans
was fitted by logistic regression with a ridge to the texts of ``bench/answering_words.yaml`` and of two parts of the composed
cases, cut off at any length; ``leaning.json`` says so beside its figures. Terms are words and pairs of neighbours; of
Russian words the first five letters, for they bend their ends, of English ones the first four besides; in Chinese characters and
pairs of them; and whether there are pieces of machines or of people among them, one or more.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Final

from engine.core.units import Language

COEFFICIENTS: Final = Path(__file__).with_name("leaning.json")
_WORDS: Final = re.compile(r"[\w']+")
_STEM: Final = {"ru": 5, "en": 4}


def words_of(text: str) -> list[str]:
    """In small letters, without punctuation."""
    return _WORDS.findall(text.lower().replace("’", "'"))


def terms(words: list[str], language: Language) -> frozenset[str]:
    """What of these words can lean, beside the pieces in them."""
    if language == "zh":
        joined = "".join(words)
        return frozenset(joined) | {joined[place : place + 2] for place in range(len(joined) - 1)}
    single = [word[: _STEM["ru"]] for word in words] if language == "ru" else words
    stems = {f"{word[: _STEM['en']]}-" for word in words if len(word) > _STEM["en"]} if language == "en" else set()
    return frozenset(single) | {" ".join(pair) for pair in pairwise(single)} | stems


def leaning(found: Iterable[str], language: Language) -> float:
    """Of these terms, in log-odds; above 0: towards a machine. 0 in a language without figures."""
    table = _tables().get(language, {})
    return sum(table.get(term, 0.0) for term in found)


@cache
def _tables() -> Mapping[str, Mapping[str, float]]:
    tables: Mapping[str, Mapping[str, float]] = json.loads(COEFFICIENTS.read_text("utf-8"))["terms"]
    return tables
