"""Yes or no, in the many ways people say it.

Nothing is guessed: a phrase with both a yes and a no in it ("yes, no, wait") or with doubt in it ("I'm not sure") is
neither, and is asked again, because a wrong yes may move money.
"""

from __future__ import annotations

import re

from engine.core.speech import CHINESE, ENGLISH
from engine.core.units import Language
from engine.nlu.slots.found import Found
from engine.nlu.slots.yes_no_words import DOUBT, ROWS
from engine.nlu.wording import HESITATIONS, folded, tokens

_SHORT = 7  # words; in a longer phrase only its beginning answers
_LEADING = 3  # words of a longer phrase among which its answer begins
_LEADING_HAN = 2  # characters, of any Chinese phrase: its characters mean other things further on


def find_yes_no(text: str, language: Language) -> Found | None:
    """Find the yes or the no that the phrase answers with."""
    plain = folded(text)
    answers = _answers(plain, language)
    counted = _counted(plain, answers, language)
    if any(found.value == DOUBT for found in answers) or len({found.value for found in counted}) != 1:
        return None
    return Found(counted[0].value, counted[0].start, counted[-1].end)


def is_bare(text: str, language: Language) -> bool:
    """Whether the phrase says yes or no and nothing beside it."""
    found = find_yes_no(text, language)
    if found is None:
        return False
    plain = folded(text)
    return _words(plain[: found.start]) + _words(plain[found.end :]) == 0


def _answers(plain: str, language: Language) -> list[Found]:
    found: list[Found] = []
    for value, pattern in ROWS.get(language, ROWS[ENGLISH]):
        bounded = pattern if language == CHINESE else rf"(?<![\w'])(?:{pattern})(?![\w'])"
        for match in re.finditer(bounded, plain):
            if all(match.end() <= known.start or match.start() >= known.end for known in found):
                found.append(Found(value, match.start(), match.end()))
    return sorted(found, key=lambda answer: answer.start)


def _counted(plain: str, answers: list[Found], language: Language) -> list[Found]:
    """The answers that stand where an answer stands."""
    furthest = _LEADING_HAN if language == CHINESE else _LEADING
    leading = [found for found in answers if _words(plain[: found.start]) < furthest]
    whole = _words(plain) <= _SHORT and (leading or language != CHINESE)
    return answers if whole else leading


def _words(plain: str) -> int:
    return sum(token.text not in HESITATIONS for token in tokens(plain))
