"""Has the caller said it all? The endpointer waits by the answer, so a wrong "complete" cuts people off.

Rules, in order:

* a question for digits is complete at the most digits it takes, incomplete below the fewest, unknown between;
* a question for another slot is complete when the slot is filled, else unknown;
* every phrase that ends in a hesitation or in a word that wants another one ("I want to", "my card is") is incomplete;
* a final comma is the recogniser's guess that more comes; it counts only where no intent is sure yet ("I lost my card,");
* a question for an intent is complete when one is sure, far ahead of the others, and the phrase is long enough to have said it;
  incomplete when hardly anything was said that means something; else unknown.

Where no intent is sure, :func:`finished` says how likely the phrase was said to its end all the same.
"""

from __future__ import annotations

from enum import StrEnum

from engine.core.units import Confidence
from engine.nlu.ends import PhraseEnds
from engine.nlu.interpretation import Completeness, Interpretation, Question
from engine.nlu.slots.digits import find_digits
from engine.nlu.wording import HESITATIONS, joined, tokens

_SURE_FROM = 0.85  # probability of an intent that needs no more words
_AHEAD = 0.60  # its lead over the second
_NOTHING_YET = 0.30  # below this, and out of scope no likelier than not, no intent has been named
_FEW_WORDS = 2  # a phrase this short has hardly begun, unless it is sure
_ELSEWHERE = 0.60  # probability of being out of scope at which more words are not waited for

_WANTS_ANOTHER = """
    a an the this these those my your our their his her its some any every another
    to of for from with without at by in into onto about between through during via than as per
    and or but so because if when while since until unless although that which who whose
    i i'm i've i'd i'll we we're we've he she they is are was were am be been being do does did has had have can could will would
    should shall may might must isn't aren't don't doesn't didn't can't couldn't won't wouldn't
    what what's how how's why where where's there's
    want need wanna gonna like trying wondering wanted tell give show make get let going calling

    в во на с со к ко о об обо от до из за по под над для без при про через у около между
    и а но или что чтобы если когда потому как какой какая какое какие где куда почему зачем сколько
    я мы мой моя мое мою моей моего мои наш ваш этот эта это эту хочу хотел хотела хотелось бы нужно надо могу можно
    не мне меня свой свою своей
"""
_WANTS_ANOTHER_HAN = """
    我 你 的 把 被 给 在 和 跟 与 或 或者 因为 如果 但是 而且 然后 那个 这个 就是 想 要 为什么 什么 怎么 从 到 对 向 为 请
    帮我 请问 需要 可以 能 能不能 可不可以
"""
_OPENS = """
    please hello hi hey good morning afternoon evening пожалуйста здравствуйте алло привет добрый день 你 好 您 喂 请 问
"""
_OPENINGS = frozenset(_OPENS.split()) | HESITATIONS
_DANGLING = frozenset(_WANTS_ANOTHER.split())
_DANGLING_HAN = tuple(_WANTS_ANOTHER_HAN.split())
_FINISHED_HAN = ("干什么", "是什么", "做什么")
_QUESTION_WORDS = frozenset(("what", "where", "who", "how", "which", "why", "when"))
_LEFT_BEHIND = frozenset(("for", "from", "to", "with", "about", "by", "at", "on", "in", "through", "be", "have", "go"))
_LEFT_BEHIND |= {"is", "are", "was", "were", "do", "does", "did", "can"}
_STRANDED_AFTER = 3  # words from the question word on; "what is" alone has not asked yet
_BROKEN_OFF = ("...", "…", "-", "–", "—")
_COMMAS = (",", "、", "，")


def completeness(text: str, question: Question, known: Interpretation) -> Completeness:
    """Judge a phrase that was heard so far; ``known`` is what it means, its own completeness is not looked at."""
    if question.slot == "digits":
        return _of_digits(text, question)
    if question.slot is not None and question.slot in known.slots:
        return Completeness.COMPLETE
    ends = ending(text)
    if ends is Ending.DANGLING:
        return Completeness.INCOMPLETE
    if ends is Ending.OPEN and (question.slot is not None or not _sure(known)):
        return Completeness.INCOMPLETE
    if question.slot is not None or ends is Ending.DOUBTFUL:
        return Completeness.UNKNOWN
    return _of_intent(text, known)


def finished(text: str, question: Question, ends: PhraseEnds) -> Confidence | None:
    """Probability that a phrase was said to its end, as its words go; ``None``: it can't be told, as of an asked value."""
    if question.slot is not None or not tokens(text):
        return None
    return Confidence(0.0) if ending(text) is Ending.DANGLING else ends.finished(text)


class Ending(StrEnum):
    """How a phrase breaks off."""

    FIRM = "firm"
    DOUBTFUL = "doubtful"
    OPEN = "open"
    DANGLING = "dangling"


def ending(text: str) -> Ending:
    """Judge the last word: one that wants another dangles, unless a question left it behind ("what is this charge for")."""
    spoken = [token.text for token in tokens(text)]
    if _OPENINGS.issuperset(spoken) or text.rstrip().endswith(_BROKEN_OFF):
        return Ending.DANGLING
    whole, last = joined(spoken), spoken[-1]
    if last in HESITATIONS or (whole.endswith(_DANGLING_HAN) and not whole.endswith(_FINISHED_HAN)):
        return Ending.DANGLING
    if last not in _DANGLING:
        return Ending.OPEN if text.rstrip().endswith(_COMMAS) else Ending.FIRM
    asked = any(word in _QUESTION_WORDS for word in spoken[:-_STRANDED_AFTER])
    return Ending.DOUBTFUL if asked and last in _LEFT_BEHIND else Ending.DANGLING


def _of_digits(text: str, question: Question) -> Completeness:
    found = find_digits(text, question.language)
    heard = len(found.value) if found else 0
    fewest, most = question.length or (1, None)
    if heard < fewest:
        return Completeness.INCOMPLETE
    return Completeness.COMPLETE if most is not None and heard >= most else Completeness.UNKNOWN


def _of_intent(text: str, known: Interpretation) -> Completeness:
    if _sure(known):
        return Completeness.COMPLETE
    elsewhere = known.out_of_scope or 0.0
    if elsewhere < _ELSEWHERE and (_likelihoods(known)[0] < _NOTHING_YET or len(tokens(text)) <= _FEW_WORDS):
        return Completeness.INCOMPLETE
    return Completeness.UNKNOWN


def _sure(known: Interpretation) -> bool:
    first, second = _likelihoods(known)
    return first >= _SURE_FROM and first - second >= _AHEAD


def _likelihoods(known: Interpretation) -> tuple[float, float]:
    """Of the first and the second candidate."""
    first, second = ([candidate.confidence for candidate in known.candidates] + [0.0, 0.0])[:2]
    return first, second
