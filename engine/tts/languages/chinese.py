"""Mandarin wording, in simplified characters: ``两`` before measure words and big places, ``幺`` for one in digit strings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import NamedTuple

import cn2an

from engine.tts.values import Money


class _Currency(NamedTuple):
    major: str
    minor: str = ""


_CURRENCIES = {
    "CNY": _Currency("元"),
    "RUB": _Currency("卢布", "戈比"),
    "USD": _Currency("美元", "美分"),
    "EUR": _Currency("欧元", "欧分"),
    "GBP": _Currency("英镑", "便士"),
    "JPY": _Currency("日元"),
    "CHF": _Currency("瑞士法郎", "生丁"),
    "KZT": _Currency("坚戈", "蒂因"),
    "BYN": _Currency("白俄罗斯卢布", "戈比"),
    "TRY": _Currency("里拉", "库鲁什"),
    "AED": _Currency("迪拉姆", "费尔"),
    "INR": _Currency("卢比", "派士"),
}
_DIGITS = "零一二三四五六七八九"
_ON_THE_PHONE = "零幺二三四五六七八九"  # 一 and 七 sound alike on a bad line
_TWO_BEFORE_BIG_PLACES = re.compile("(?<![十百千万亿])二(?=[千万亿])")


class Chinese:
    """See :class:`engine.tts.languages.protocol.SpokenLanguage`."""

    region = "CN"
    space = ""
    pause = "，"

    def number(self, value: Decimal) -> str:
        """``一千二百五十``, ``三点零五``, ``负两万``."""
        words = str(cn2an.an2cn(format(value, "f"), "low"))
        return _TWO_BEFORE_BIG_PLACES.sub("两", words)

    def ordinal(self, value: int) -> str:
        """``第二十一``."""
        return "第" + str(cn2an.an2cn(str(value), "low"))

    def money(self, amount: Money) -> str:
        """``一千二百五十元五分``; other currencies ``十美元五十美分``."""
        sign = "负" if amount.negative else ""
        if amount.currency is None:
            return sign + self.number(Decimal(amount.major) + Decimal(amount.minor) / 100)
        names = _CURRENCIES.get(amount.currency, _unknown(amount.currency))
        parts = []
        if amount.major or not amount.minor:
            parts.append(self._measured(amount.major, names.major))
        if amount.minor:
            parts.append(self._yuan_parts(amount) if amount.currency == "CNY" else self._measured(amount.minor, names.minor))
        return sign + "".join(parts)

    def date(self, day: date) -> str:
        """``二零二六年十一月二十一日``."""
        year = "".join(_DIGITS[int(digit)] for digit in str(day.year))
        return f"{year}年{cn2an.an2cn(str(day.month), 'low')}月{cn2an.an2cn(str(day.day), 'low')}日"

    def time(self, moment: time) -> str:
        """``上午九点三十分``, ``下午两点零五分``."""
        hour = moment.hour if moment.hour <= 12 else moment.hour - 12
        words = _part_of_day(moment.hour) + self._measured(hour, "点")
        if moment.minute:
            words += ("零" if moment.minute < 10 else "") + str(cn2an.an2cn(str(moment.minute), "low")) + "分"
        return words

    def moment(self, at: datetime) -> str:
        """``十一月二十三日星期一下午六点``: the weekday helps to hear a wrong day."""
        day = f"{cn2an.an2cn(str(at.month), 'low')}月{cn2an.an2cn(str(at.day), 'low')}日"
        return f"{day}星期{'一二三四五六日'[at.weekday()]}{self.time(at.time())}"

    def name(self, parts: Sequence[str]) -> str:
        """``王芳女士``; a name in Latin letters keeps its spaces."""
        latin = any(part.isascii() for part in parts)
        return (" " if latin else "").join(parts)

    def digits(self, group: str) -> str:
        """``幺二三四``."""
        signs = (_ON_THE_PHONE[int(sign)] if sign.isdigit() else f" {sign.upper()} " for sign in group)
        return " ".join("".join(signs).split())

    def phone(self, groups: Sequence[str]) -> str:
        """``加八六，幺三八，幺二三四，五六七八``."""
        return self.pause.join(("加" if group[0] == "+" else "") + self.digits(group.lstrip("+")) for group in groups)

    def _measured(self, count: int, measure: str) -> str:
        return ("两" if count == 2 else self.number(Decimal(count))) + measure

    def _yuan_parts(self, amount: Money) -> str:
        """``三角四分``; ``零五分`` after whole yuan."""
        tenths, hundredths = divmod(amount.minor, 10)
        words = f"{_DIGITS[tenths]}角" if tenths else "零" * bool(amount.major)
        return words + (f"{_DIGITS[hundredths]}分" if hundredths else "")


def _unknown(code: str) -> _Currency:
    """Spell a currency we have no name for."""
    return _Currency(" ".join(code), "分")


def _part_of_day(hour: int) -> str:
    for until, name in ((6, "凌晨"), (12, "上午"), (13, "中午"), (18, "下午")):
        if hour < until:
            return name
    return "晚上"
