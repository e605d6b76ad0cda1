"""Which letters a list's bytes are, guessed only where the guess is safe.

A byte order mark says it; so do zero bytes (UTF-16). What is UTF-8 is UTF-8: no other text is so by chance. Russian Windows
(cp1251) and Chinese (GB18030) each decode nearly anything, so they are told apart by whether words come of it: Russian ones, or
signs of the 3,755 commonest (GB 2312, level 1: lead bytes B0 to D7). Where neither or both are likely, a person has to say.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

from engine.outbound.campaign import ListRefused

ENCODINGS: Final = ("utf-8", "utf-16", "cp1251", "gb18030")

_MARKS: Final = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_SAMPLE: Final = 1 << 20  # bytes looked at for words
_ZEROS: Final = (
    0.1  # share of zero bytes, in every other place, from which it is UTF-16: of digits and Latin letters it is a half
)
_LIKELY: Final = 0.9  # share of the foreign letters that must stand in words; the two seen on names are above 0.95, each
_UNLIKELY: Final = 0.6  # ... as the wrong one of the two stays below this
_RUSSIAN: Final = re.compile(r"(?<![A-Za-zА-яЁё])(?:[А-ЯЁ]?[а-яё]+|[А-ЯЁ]+)(?![A-Za-zА-яЁё])")
_FOREIGN: Final = re.compile(r"[^\x00-\x7f]")
_FORBIDDEN: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f�]")


def text_of(content: bytes, name: str, encoding: str | None = None) -> str:
    """A list's text; ``encoding`` is what a person says that it is.

    Raises:
        ListRefused: nobody can be sure, or it is no text.
    """
    chosen = encoding or _guessed(content, name)
    try:
        text = content.decode(chosen)
    except UnicodeDecodeError as error:
        where = content.count(b"\n", 0, error.start) + 1
        raise ListRefused(f"{name}:{where}: expected {chosen}, found the byte 0x{content[error.start]:02x}") from error
    found = _FORBIDDEN.search(text)
    if found is not None:
        where = text.count("\n", 0, found.start()) + 1
        raise ListRefused(f"{name}:{where}: expected text, found the character U+{ord(found[0]):04X}")
    return text.removeprefix("\ufeff")


def _guessed(content: bytes, name: str) -> str:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return encoding
    if (zeros := _zeros(content)) is not None:
        return zeros
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return _by_words(content, name)
    return "utf-8"


def _zeros(content: bytes) -> str | None:
    """UTF-16 without a mark: of mostly Latin text or digits every other byte is zero."""
    head = content[:4096]
    even, odd = head[::2].count(0), head[1::2].count(0)
    if even + odd < max(4, len(head) * _ZEROS) or min(even, odd) > max(even, odd) * _ZEROS:
        return None
    return "utf-16-be" if even > odd else "utf-16-le"


def _by_words(content: bytes, name: str) -> str:
    sample = content[:_SAMPLE]
    russian, chinese = _russian(sample), _chinese(sample)
    if russian >= _LIKELY and chinese < _UNLIKELY:
        return "cp1251"
    if chinese >= _LIKELY and russian < _UNLIKELY:
        return "gb18030"
    raise ListRefused(
        f"{name}: expected UTF-8, found other letters, and can't be sure which: "
        f"Russian by {russian:.0%}, Chinese by {chinese:.0%}; say --encoding, one of {', '.join(ENCODINGS)}"
    )


def _russian(sample: bytes) -> float:
    """Share of the foreign letters that make Russian words."""
    text = sample.decode("cp1251", errors="replace")
    foreign = len(_FOREIGN.findall(text))
    return sum(map(len, _RUSSIAN.findall(text))) / foreign if foreign else 0.0


def _chinese(sample: bytes) -> float:
    """Share of the foreign signs that are common Chinese ones, or their punctuation."""
    signs = _FOREIGN.findall(sample.decode("gb18030", errors="replace"))
    common = [it for it in signs if _common(it)]
    return len(common) / len(signs) if signs else 0.0


def _common(sign: str) -> bool:
    try:
        written = sign.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return 0xA1 <= written[0] <= 0xA3 or 0xB0 <= written[0] <= 0xD7
