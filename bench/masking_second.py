"""Sentences around secret numbers, written after the tables, and what the tables were mended by: data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from engine.core.speech import CHINESE, ENGLISH, RUSSIAN
from engine.core.units import Language
from engine.privacy import Kind
from engine.testing.spoken_words import TELLINGS, Telling

SECOND: Mapping[Language, Telling] = {
    ENGLISH: replace(
        TELLINGS[ENGLISH],
        questions={
            Kind.CARD: [
                "so which card are we talking about, go ahead and read it to me",
                "right, the sixteen digits on the front when you are ready",
                "and the card number you'd like to pay with",
            ],
            Kind.PIN: ["type or tell me the PIN please", "just to verify you, what is the pin on this account"],
            Kind.SECURITY_CODE: [
                "flip it over for me and give me the last three on the back",
                "I'll also need your CVV",
                "and the card verification code",
            ],
            Kind.ONE_TIME_CODE: [
                "I've just sent a passcode to your phone, can you read it out",
                "what's the six digit code you see on the screen",
            ],
            Kind.ACCOUNT: ["and your account number is", "would you read me the account number from a cheque"],
            Kind.PHONE: ["what number can we call you back on", "let me take down your telephone number"],
        },
        announcements={
            Kind.CARD: ["bear with me, got it, right", "visa, and it reads", "yeah the number's"],
            Kind.PIN: ["erm I believe it was", "that's"],
            Kind.SECURITY_CODE: ["looks like", "the back says"],
            Kind.ONE_TIME_CODE: ["here it comes", "it's come through as"],
            Kind.ACCOUNT: ["I have it here somewhere", "from the app it shows"],
            Kind.PHONE: ["home's", "best is my work line"],
        },
        fillers=["right", "let's see", "er", "and", "okay so"],
        corrections=["oh sorry", "hold on no", "let me redo that", "I misread"],
        encouragements=["sure", "okay carry on", "lovely", "mm", "yes and the rest"],
        errors=["fort", "hive", "sis", "savin", "aid", "nigh", "tune", "free", "zorro", "when"],
    ),
    RUSSIAN: replace(
        TELLINGS[RUSSIAN],
        questions={
            Kind.CARD: [
                "какая у вас карта, диктуйте цифры",
                "с какой карты платим, назовите её номер",
                "номер карточки, пожалуйста",
            ],
            Kind.PIN: ["скажите пин от карты", "подтвердите, какой у вас пин-код"],
            Kind.SECURITY_CODE: ["на обороте есть код, прочтите", "назовите цэ вэ вэ", "три последние цифры на обороте карты"],
            Kind.ONE_TIME_CODE: ["сейчас придёт пароль в сообщении, скажите его мне", "назовите код, который видите на экране"],
            Kind.ACCOUNT: ["номер вашего лицевого счёта", "продиктуйте счёт получателя"],
            Kind.PHONE: ["ваш телефон для связи", "куда вам перезвонить"],
        },
        announcements={
            Kind.CARD: ["секундочку, достану, так", "мир, номер", "она вот"],
            Kind.PIN: ["вроде", "я помню как"],
            Kind.SECURITY_CODE: ["вижу", "на обороте"],
            Kind.ONE_TIME_CODE: ["пишут", "вот пришло"],
            Kind.ACCOUNT: ["в приложении такой", "читаю"],
            Kind.PHONE: ["домашний", "записывайте"],
        },
        fillers=["вот", "значит", "угу", "и ещё", "сейчас"],
        corrections=["ой", "нет, стойте", "не так", "перепутал"],
        encouragements=["да-да", "пишу", "продолжаем", "ну", "принято"],
        errors=["дна", "трио", "пят", "шефть", "все", "воссем", "деветь", "ноги"],
    ),
    CHINESE: replace(
        TELLINGS[CHINESE],
        questions={
            Kind.CARD: ["请您把银行卡的号码告诉我", "付款的卡号是多少呢", "麻烦念一下卡上的数字"],
            Kind.PIN: ["请说一下您的取款密码", "为了核实身份请报密码"],
            Kind.SECURITY_CODE: ["卡背面的三位数字是什么", "再报一下安全码"],
            Kind.ONE_TIME_CODE: ["您收到的动态码是多少", "屏幕上的验证码请读一下"],
            Kind.ACCOUNT: ["请问收款账号是多少", "您的存折账号念一下"],
            Kind.PHONE: ["您的手机号码报一下", "留一个联系电话吧"],
        },
        announcements={
            Kind.CARD: ["等我拿一下卡", "嗯我念了", "号码是"],
            Kind.PIN: ["我记得是", "应该没错是"],
            Kind.SECURITY_CODE: ["后面写的是", "看到了"],
            Kind.ONE_TIME_CODE: ["来了来了", "显示的是"],
            Kind.ACCOUNT: ["在这儿呢", "手机上显示"],
            Kind.PHONE: ["就这个", "家里的是"],
        },
        fillers=["啊", "那", "再来", "嗯"],
        corrections=["哦不", "看错了", "重新说", "不好意思"],
        encouragements=["嗯您说", "好", "在记", "继续吧"],
        errors=["医", "尔", "伞", "寺", "误", "柳", "漆", "爸", "旧", "领"],
    ),
}
