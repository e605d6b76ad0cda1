"""Sentences around secret numbers that the tables of :mod:`engine.privacy` were not written to: data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from engine.core.speech import CHINESE, ENGLISH, RUSSIAN
from engine.core.units import Language
from engine.privacy import Kind
from engine.testing.spoken_words import TELLINGS, Telling

UNSEEN: Mapping[Language, Telling] = {
    ENGLISH: replace(
        TELLINGS[ENGLISH],
        questions={
            Kind.CARD: [
                "let's start with the card details, all the digits",
                "could you read out the number printed on your debit card",
            ],
            Kind.PIN: [
                "now your four digit PIN",
                "I need the pin you normally use at the cash machine",
                "what would you like your new PIN to be",
            ],
            Kind.SECURITY_CODE: [
                "turn the card over, what's the little number by the signature strip",
                "the CVC code for that one",
            ],
            Kind.ONE_TIME_CODE: [
                "you should have received a text with a code, what does it say",
                "go ahead with your verification code",
            ],
            Kind.ACCOUNT: ["which account number are we looking at", "do you have your customer id handy"],
            Kind.PHONE: [
                "what's the best number to reach you on",
                "which mobile do we have on file, could you repeat the phone number",
            ],
        },
        announcements={
            Kind.CARD: ["right so it goes", "here we go", "well the first ones are"],
            Kind.PIN: ["I think it's", "hang on a moment I wrote it down", "let's make it"],
            Kind.SECURITY_CODE: ["that'd be", "I can barely read it"],
            Kind.ONE_TIME_CODE: ["just came in", "the message reads"],
            Kind.ACCOUNT: ["one sec it's on the statement", "sure thing"],
            Kind.PHONE: ["that would be", "try my cell"],
        },
        fillers=["erm", "after that", "what's this", "hmm", "now"],
        corrections=["oops I mean", "hang on that's wrong", "no no", "scratch that"],
        encouragements=["yep", "and after that", "I've got that", "still with you", "next please"],
        errors=["fore", "hate", "wine", "sticks", "oven", "night", "true", "alive"],
    ),
    RUSSIAN: replace(
        TELLINGS[RUSSIAN],
        questions={
            Kind.CARD: ["мне нужны все шестнадцать цифр карты", "прочитайте номер на лицевой стороне карты"],
            Kind.PIN: ["введите или назовите пин", "какой пин-код вы хотите установить"],
            Kind.SECURITY_CODE: ["переверните карту и назовите си ви ви код", "три цифры сзади карты"],
            Kind.ONE_TIME_CODE: ["вам пришло сообщение с кодом прочитайте его", "какой код пришел в смс"],
            Kind.ACCOUNT: ["по какому счету вопрос назовите номер счета", "мне нужен номер вашего договора"],
            Kind.PHONE: ["по какому телефону с вами связаться", "оставьте контактный номер"],
        },
        announcements={
            Kind.CARD: ["сейчас посмотрю вот", "значит смотрите", "она начинается"],
            Kind.PIN: ["кажется", "ну допустим", "пусть будет"],
            Kind.SECURITY_CODE: ["плохо видно но", "ага нашел"],
            Kind.ONE_TIME_CODE: ["только что пришло", "там цифры"],
            Kind.ACCOUNT: ["минуту нашел", "он такой"],
            Kind.PHONE: ["звоните на", "лучше на мобильный"],
        },
        fillers=["эм", "и потом", "как там", "далее", "теперь"],
        corrections=["ой нет", "вру", "стоп неправильно", "точнее"],
        encouragements=["ага", "и дальше", "есть", "так", "слушаю вас"],
        errors=["дева", "вода", "шест", "сорт", "пятна", "осень", "триста да"],
    ),
    CHINESE: replace(
        TELLINGS[CHINESE],
        questions={
            Kind.CARD: ["麻烦您念一下卡面上的那串数字", "您要查的是哪张卡，卡号念一遍"],
            Kind.PIN: ["您想设置什么样的新密码", "麻烦核对一下六位交易密码"],
            Kind.SECURITY_CODE: ["把卡翻过来，签名栏旁边的数字是", "请说一下CVV码"],
            Kind.ONE_TIME_CODE: ["刚才发到您手机上的验证码念一下", "短信里的六个数字是什么"],
            Kind.ACCOUNT: ["您的账户号码报给我", "麻烦提供一下您的对公账号"],
            Kind.PHONE: ["方便留个手机号吗", "我们怎么联系您，电话报一下"],
        },
        announcements={
            Kind.CARD: ["我看看啊", "稍等我找找", "开头是"],
            Kind.PIN: ["就用", "好像是"],
            Kind.SECURITY_CODE: ["看不太清", "应该是"],
            Kind.ONE_TIME_CODE: ["刚收到", "上面写着"],
            Kind.ACCOUNT: ["我念给您听", "记一下啊"],
            Kind.PHONE: ["打这个吧", "您记一下"],
        },
        fillers=["这个", "后面是", "接下来", "唔"],
        corrections=["哎不对", "念错了", "等会儿", "搞错了"],
        encouragements=["嗯嗯", "对对", "然后呢", "好您接着说"],
        errors=["事", "吴", "路", "其", "吧", "就", "要", "林"],
    ),
}
