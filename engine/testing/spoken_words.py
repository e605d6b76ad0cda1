"""How people say digits, in English, Russian and Chinese, and what they say around them: tables only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.core.speech import CHINESE, ENGLISH, RUSSIAN
from engine.core.units import Language
from engine.privacy import Kind


@dataclass(frozen=True, slots=True)
class Telling:
    """One language's way of telling a number over the telephone."""

    digits: Sequence[Sequence[str]]
    """By digit: its names."""

    teens: Sequence[str]
    """Ten to nineteen; empty where pairs are not said."""

    tens: Sequence[str]
    """Twenty to ninety."""

    hundreds: Sequence[str]
    """One hundred to nine hundred; empty where groups of three are not said so."""

    repeats: Mapping[int, Sequence[str]]
    """By how often: ``{}`` stands for the digit."""

    questions: Mapping[Kind, Sequence[str]]
    """What the agent asks."""

    announcements: Mapping[Kind, Sequence[str]]
    """What the caller begins with."""

    fillers: Sequence[str]
    corrections: Sequence[str]
    encouragements: Sequence[str]
    errors: Sequence[str]
    """What a recogniser makes of a digit it does not know."""


def _words(spaced: str) -> list[str]:
    return spaced.split()


_ENGLISH = Telling(
    digits=[["zero", "oh", "o"], *([word] for word in _words("one two three four five six seven eight nine"))],
    teens=_words("ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"),
    tens=_words("twenty thirty forty fifty sixty seventy eighty ninety"),
    hundreds=[f"{word} hundred" for word in _words("one two three four five six seven eight nine")],
    repeats={2: ["double {}"], 3: ["triple {}", "treble {}"]},
    questions={
        Kind.CARD: ["can I have the long number across the front of your card please", "what is your card number"],
        Kind.PIN: [
            "please tell me your pin",
            "and what's the PIN code for that account",
            "could you give me your telephone passcode",
        ],
        Kind.SECURITY_CODE: ["and the three digits on the back", "what is the security code", "could you read me the CVV"],
        Kind.ONE_TIME_CODE: [
            "please read me the code we sent you",
            "what is the confirmation code",
            "tell me the one time password",
        ],
        Kind.ACCOUNT: ["what is your account number", "may I have the customer number"],
        Kind.PHONE: ["what's a good phone number for you", "and your mobile number"],
    },
    announcements={
        Kind.CARD: ["my card number is", "sure it's", "the number on the card is"],
        Kind.PIN: ["the pin is", "yes it's", "okay my PIN"],
        Kind.SECURITY_CODE: ["it says", "the security code is"],
        Kind.ONE_TIME_CODE: ["the code says", "I got"],
        Kind.ACCOUNT: ["my account number is", "it's"],
        Kind.PHONE: ["you can call me on", "my phone number is"],
    },
    fillers=["uh", "um", "and then", "dash", "let me see"],
    corrections=["no wait", "sorry I mean", "no sorry", "correction"],
    encouragements=["okay", "uh-huh", "go ahead", "got it", "mm-hmm", "right yes"],
    errors=["for", "to", "ate", "won", "sex", "fife", "nein", "tree", "so then", "heaven", "fly"],
)
_RUSSIAN = Telling(
    digits=[["ноль", "нуль"], ["один"], *([word] for word in _words("два три четыре пять шесть семь восемь девять"))],
    teens=[
        *_words("десять одиннадцать двенадцать тринадцать четырнадцать пятнадцать"),
        *_words("шестнадцать семнадцать восемнадцать девятнадцать"),
    ],
    tens=_words("двадцать тридцать сорок пятьдесят шестьдесят семьдесят восемьдесят девяносто"),
    hundreds=_words("сто двести триста четыреста пятьсот шестьсот семьсот восемьсот девятьсот"),
    repeats={2: ["дважды {}", "два раза {}"], 3: ["трижды {}"]},
    questions={
        Kind.CARD: ["назовите пожалуйста номер карты", "продиктуйте номер вашей карты"],
        Kind.PIN: ["назовите ваш пин-код", "какой у вас пароль"],
        Kind.SECURITY_CODE: ["назовите три цифры с обратной стороны карты", "какой код безопасности"],
        Kind.ONE_TIME_CODE: ["назовите код из смс", "продиктуйте код подтверждения"],
        Kind.ACCOUNT: ["назовите номер счета", "скажите номер договора"],
        Kind.PHONE: ["назовите номер телефона", "какой у вас номер телефона"],
    },
    announcements={
        Kind.CARD: ["номер карты", "да записывайте", "моя карта"],
        Kind.PIN: ["пин", "мой пин-код", "пароль"],
        Kind.SECURITY_CODE: ["там написано", "код"],
        Kind.ONE_TIME_CODE: ["пришел код", "код"],
        Kind.ACCOUNT: ["номер счета", "вот"],
        Kind.PHONE: ["мой телефон", "мой номер"],
    },
    fillers=["э", "ну", "потом", "тире", "так"],
    corrections=["нет подождите", "ой простите", "не то есть", "извините ошибся"],
    encouragements=["да", "угу", "так дальше", "записала", "продолжайте", "хорошо"],
    errors=["сем", "шесь", "петь", "сесть", "раз", "тире ну", "восток", "стена"],
)
_CHINESE = Telling(
    digits=[["零", "〇"], ["一", "幺"], ["二", "两"], *([word] for word in "三四五六七八九")],
    teens=[],
    tens=[],
    hundreds=[],
    repeats={2: ["两个{}"], 3: ["三个{}"]},
    questions={
        Kind.CARD: ["请问您的卡号是多少", "请报一下您的银行卡号"],
        Kind.PIN: ["请告诉我您的密码", "取款密码是什么"],
        Kind.SECURITY_CODE: ["请报一下卡片背面的安全码", "背面末三位是什么"],
        Kind.ONE_TIME_CODE: ["请告诉我短信验证码", "验证码收到了吗"],
        Kind.ACCOUNT: ["您的账号是什么", "请提供客户号"],
        Kind.PHONE: ["请问您的手机号", "您的联系电话是什么"],
    },
    announcements={
        Kind.CARD: ["我的卡号是", "好的", "卡号"],
        Kind.PIN: ["密码是", "是"],
        Kind.SECURITY_CODE: ["是", "安全码"],
        Kind.ONE_TIME_CODE: ["验证码是", "收到了"],
        Kind.ACCOUNT: ["账号是", "是"],
        Kind.PHONE: ["我的电话是", "手机号"],
    },
    fillers=["嗯", "呃", "然后", "那个"],
    corrections=["不对", "不是", "说错了", "等一下"],
    encouragements=["嗯", "好的", "请继续", "对", "您请说"],
    errors=["是", "儿", "酒", "灵", "洞洞", "起来"],
)

TELLINGS: Mapping[Language, Telling] = {ENGLISH: _ENGLISH, RUSSIAN: _RUSSIAN, CHINESE: _CHINESE}
