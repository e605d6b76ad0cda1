"""Sentences with numbers that are no secrets: sums, dates, times, counts and branches, in three languages. Synthetic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from random import Random

import cn2an
from num2words import num2words

from engine.core.speech import CHINESE, ENGLISH, RUSSIAN
from engine.core.units import Language

# ``{sum}`` 5 to 99,999 · ``{day}`` 1 to 28 · ``{hour}`` 1 to 12 · ``{few}`` 2 to 12 · ``{branch}`` 1 to 999, in words or numerals
_SENTENCES: Mapping[Language, Mapping[str, Sequence[str]]] = {
    ENGLISH: {
        "sum": [
            "your balance is {sum} dollars",
            "please transfer {sum} pounds to savings",
            "the payment was {sum} euros and {few} cents",
        ],
        "date": ["it was posted on march {day}", "the payment of december {day} is missing", "we close on the {day} of june"],
        "time": [
            "we are open from {hour} am to {hour} pm",
            "the agent calls back in {few} minutes",
            "it arrives in {few} to {few} weeks",
        ],
        "count": ["I have {few} cards with you", "you have {few} attempts left", "there were {few} transactions last week"],
        "branch": ["I went to branch number {branch}", "press {few} for cards", "go to window {few}"],
    },
    RUSSIAN: {
        "sum": ["на счете {sum} рублей", "переведите {sum} долларов", "списали {sum} рублей и {few} копеек"],
        "date": ["платеж от {day} марта не прошел", "до {day} июня", "карта будет готова {day} декабря"],
        "time": ["мы работаем с {hour} утра", "перезвоним через {few} минут", "карта придет через {few} рабочих дней"],
        "count": ["у меня {few} карт вашего банка", "осталось {few} попыток", "я звонил вам {few} раза"],
        "branch": ["я был в отделении номер {branch}", "нажмите {few}", "подойдите к окну {few}"],
    },
    CHINESE: {
        "sum": ["您的余额是{sum}元", "请转{sum}块钱", "扣了我{sum}美元"],
        "date": ["三月{day}号的付款", "{day}日之前还款", "十二月{day}日扣的"],
        "time": ["我们早上{hour}点开门", "等{few}分钟", "卡片{few}天以后到"],
        "count": ["我有{few}张卡", "您还有{few}次机会", "上个月有{few}笔交易"],
        "branch": ["我去了第{branch}支行", "请按{few}", "请到{few}楼"],
    },
}
_BEFORE: Mapping[Language, Sequence[str]] = {
    ENGLISH: ["", "I have lost my card and forgot my pin", "okay your card number is confirmed thank you"],
    RUSSIAN: ["", "я потеряла карту и забыла пин", "спасибо номер карты проверен"],
    CHINESE: ["", "我卡丢了，密码也忘了。", "谢谢，卡号核对好了。"],
}
_RANGES = {"sum": (5, 99_999), "day": (1, 28), "hour": (1, 12), "few": (2, 12), "branch": (1, 999)}


def innocent(count: int, seed: int) -> Iterator[tuple[Language, str, bool, str]]:
    """Give sentences: the language, what the number is, whether a secret was spoken of just before, the text."""
    random = Random(seed)
    for language, sorts in _SENTENCES.items():
        for sort, sentences in sorts.items():
            for place in range(count):
                before = _BEFORE[language][place % len(_BEFORE[language])]
                text = _filled(random.choice(sentences), language, random)
                yield language, sort, bool(before), f"{before} {text}".strip()


def _filled(sentence: str, language: Language, random: Random) -> str:
    worded = random.random() < 0.7
    for name, (least, most) in _RANGES.items():
        while f"{{{name}}}" in sentence:
            value = random.randint(least, most)
            said = _words(value, name, language) if worded else str(value)
            sentence = sentence.replace(f"{{{name}}}", said, 1)
    return sentence


def _words(value: int, name: str, language: Language) -> str:
    if language == CHINESE:
        return str(cn2an.an2cn(str(value)))
    if language == RUSSIAN:
        return str(num2words(value, lang="ru"))
    return str(num2words(value, to="ordinal" if name == "day" else "cardinal")).replace("-", " ").replace(",", "")
