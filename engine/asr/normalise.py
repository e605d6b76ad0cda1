"""The published normalisation behind every word error rate that this project quotes.

Rules, in order; they apply to reference and hypothesis alike, so that a figure can be had again with any other tool:

1. Transcribers' marks go: ``[noise]``, ``<unk>``, ``(laughs)``, a trailing ``~``.
2. NFKC, lower case; Russian ``ё`` becomes ``е``; hyphens and dashes become spaces.
3. English: contractions are written out (``can't`` → ``can not``, ``I'm`` → ``i am``); an apostrophe that is left goes
   (``caller's`` → ``callers``); ``mr mrs dr ok`` → ``mister missus doctor okay``; fillers (``uh um er hmm mhm``) go.
4. Numbers in digits are spoken out: money, per cent, decimals, thousands with separators, one or two digits, and numbers that end
   in ``00`` as a number; everything else (``4821``, ``007``) digit by digit. ``oh`` and ``o`` between digit words are ``zero``.
5. All other punctuation goes. What is left are the words; for Chinese the characters, so that its rate is a character error rate.
6. Compounds, only when two texts are compared: a word of one text that equals two to four neighbours of the other put together
   (``blacklist`` / ``black list``, ``ATM`` / ``A T M``) is split like them, so it is no error.

What is not forgiven: inflection, spelling of names, British against American spelling, years said in pairs.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise

import cn2an
import jiwer
from num2words import num2words

from engine.core.speech import CHINESE, ENGLISH, RUSSIAN
from engine.core.units import Language

_MARKS = re.compile(r"\[[^\]]*\]|<[^>]*>|\([^)]*\)|~")
_HYPHENS = re.compile(r"[-‐‑–—/_]")
_NUMBER = re.compile(r"(?P<money>[$€£₽¥])?\s?(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)\s?(?P<percent>%)?")
_PUNCTUATION = re.compile(r"[^\w\s]|_")
_CONTRACTIONS = (
    (re.compile(r"\bwon't\b"), "will not"),
    (re.compile(r"\bcan't\b|\bcannot\b"), "can not"),
    (re.compile(r"n't\b"), " not"),
    (re.compile(r"'re\b"), " are"),
    (re.compile(r"'ll\b"), " will"),
    (re.compile(r"'ve\b"), " have"),
    (re.compile(r"'m\b"), " am"),
    (re.compile(r"\blet's\b"), "let us"),
    (re.compile(r"\b(it|that|what|there|here|he|she|who|where|how)'s\b"), r"\1 is"),
)
_WRITTEN_OUT = {"mr": "mister", "mrs": "missus", "dr": "doctor", "ok": "okay"}
_FILLERS = frozenset({"uh", "um", "er", "hmm", "mhm", "uhm"})
_DIGIT_WORDS = frozenset({"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "oh", "o"})
_MONEY = {
    ENGLISH: {"$": "dollars", "€": "euros", "£": "pounds", "₽": "rubles", "¥": "yuan"},
    RUSSIAN: {"$": "долларов", "€": "евро", "£": "фунтов", "₽": "рублей", "¥": "юаней"},
    CHINESE: {"$": "美元", "€": "欧元", "£": "英镑", "₽": "卢布", "¥": "元"},
}
_PERCENT = {ENGLISH: "percent", RUSSIAN: "процентов", CHINESE: "百分之"}
_CHINESE_DIGITS = str.maketrans("0123456789", "零一二三四五六七八九")
_LONGEST_COMPOUND = 4  # words


@dataclass(frozen=True, slots=True)
class Errors:
    """How far a hypothesis is from its reference, in tokens (words; for Chinese, characters)."""

    edits: int
    """Substitutions, deletions and insertions."""

    tokens: int
    """Of the reference."""

    right: tuple[bool, ...]
    """For each token of the hypothesis, whether it stands in the reference at that place."""


def normalise(text: str, language: Language) -> list[str]:
    """The tokens of ``text`` that are compared: words, or characters for Chinese."""
    plain = unicodedata.normalize("NFKC", _MARKS.sub(" ", text)).lower().replace("ё", "е").replace("’", "'")
    plain = spoken_numbers(_HYPHENS.sub(" ", plain), language)
    if language == CHINESE:
        return list("".join(_PUNCTUATION.sub("", plain).split()))
    if language == ENGLISH:
        return _english(plain)
    return _PUNCTUATION.sub(" ", plain).split()


def spoken_numbers(text: str, language: Language) -> str:
    """``text`` with the numbers that it has in digits spoken out (rule 4)."""
    return _NUMBER.sub(lambda found: f" {_spoken(found, language)} ", text)


def compare(reference: Sequence[str], hypothesis: Sequence[str]) -> Errors:
    """Align two lists of tokens (jiwer's alignment) and count the errors; compounds are split first."""
    wanted, _ = _split(reference, hypothesis)
    heard, owners = _split(hypothesis, reference)
    right = [False] * len(heard)
    if not wanted or not heard:
        return Errors(max(len(wanted), len(heard)), len(wanted), tuple([False] * len(hypothesis)))
    found = jiwer.process_words(" ".join(wanted), " ".join(heard))
    for chunk in found.alignments[0]:
        for place in range(chunk.hyp_start_idx, chunk.hyp_end_idx):
            right[place] = chunk.type == "equal"
    whole = [all(ok for ok, owner in zip(right, owners, strict=True) if owner == index) for index in range(len(hypothesis))]
    return Errors(found.substitutions + found.deletions + found.insertions, len(wanted), tuple(whole))


def word_errors(reference: str, hypothesis: str, language: Language) -> Errors:
    """Normalise both texts and compare them."""
    return compare(normalise(reference, language), normalise(hypothesis, language))


def words_right(reference: str, words: Sequence[str], language: Language) -> tuple[bool | None, ...]:
    """For each word of a transcript, whether it is right; ``None`` for what normalisation takes away (a filler)."""
    tokens = [normalise(word, language) for word in words]
    errors = compare(normalise(reference, language), [token for parts in tokens for token in parts])
    verdicts = iter(errors.right)
    return tuple(all(list(islice(verdicts, len(parts)))) if parts else None for parts in tokens)


def _english(plain: str) -> list[str]:
    for pattern, written in _CONTRACTIONS:
        plain = pattern.sub(written, plain)
    words = _PUNCTUATION.sub(" ", plain.replace("'", "")).split()
    words = [_WRITTEN_OUT.get(word, word) for word in words if word not in _FILLERS]
    return list(_zeros(words))


def _zeros(words: Sequence[str]) -> Iterator[str]:
    """``nine oh two``: an "oh" beside a digit word is a zero."""
    padded = ["", *words, ""]
    for (before, word), after in zip(pairwise(padded), padded[2:], strict=False):
        yield "zero" if word in {"oh", "o"} and (before in _DIGIT_WORDS or after in _DIGIT_WORDS) else word


def _spoken(found: re.Match[str], language: Language) -> str:
    number, money, percent = found["number"], found["money"], found["percent"]
    counts = bool(money or percent or "." in number or "," in number)
    plain = number.replace(",", "")
    words = _cardinal(plain, language) if counts or _is_cardinal(plain) else _digits(plain, language)
    unit = _PERCENT.get(language, "") if percent else _MONEY.get(language, {}).get(money or "", "")
    return f"{unit}{words}" if percent and language == CHINESE else f"{words} {unit}"


def _is_cardinal(plain: str) -> bool:
    return plain == "0" or (not plain.startswith("0") and (len(plain) <= 2 or plain.endswith("00")))


def _cardinal(plain: str, language: Language) -> str:
    if language == CHINESE:
        return str(cn2an.an2cn(plain))
    value = float(plain)
    spoken = str(num2words(int(value) if value.is_integer() else value, lang=language))
    return _HYPHENS.sub(" ", spoken).replace(",", "").replace(" and ", " ")


def _digits(plain: str, language: Language) -> str:
    if language == CHINESE:
        return plain.translate(_CHINESE_DIGITS)
    return " ".join(str(num2words(int(digit), lang=language)) for digit in plain)


def _split(words: Sequence[str], other: Sequence[str]) -> tuple[list[str], list[int]]:
    """``words`` with compounds split as ``other`` writes them, and for each token which of ``words`` it came from."""
    compounds = {
        "".join(other[place : place + size]): other[place : place + size]
        for size in range(2, _LONGEST_COMPOUND + 1)
        for place in range(len(other) - size + 1)
    }
    tokens = [(token, owner) for owner, word in enumerate(words) for token in compounds.get(word, [word])]
    return [token for token, _ in tokens], [owner for _, owner in tokens]
