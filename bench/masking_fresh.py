"""Sentences around secret numbers that nothing was fitted to: written when all tables were done, measured once. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from engine.core.speech import CHINESE, ENGLISH, RUSSIAN
from engine.core.units import Language
from engine.privacy import Kind
from engine.testing.spoken_words import TELLINGS, Telling

FRESH: Mapping[Language, Telling] = {
    ENGLISH: replace(
        TELLINGS[ENGLISH],
        questions={
            Kind.CARD: [
                "may I take your card number to start with",
                "whenever you're ready, the long number across the middle of the card",
                "can I grab your debit card number from you",
            ],
            Kind.PIN: [
                "for security I'll ask for your telephone banking PIN now",
                "could you confirm the PIN you set up with us",
            ],
            Kind.SECURITY_CODE: [
                "what is the three digit security number by your signature",
                "do you see the CVC, it's on the back",
                "and finally the security code on that card",
            ],
            Kind.ONE_TIME_CODE: [
                "we've texted you a code just now, tell me what it is",
                "read me the one time passcode from the app when it pops up",
            ],
            Kind.ACCOUNT: [
                "which account do you want it paid into, what's the account number",
                "I need your customer number first",
            ],
            Kind.PHONE: ["and a mobile number in case we get cut off", "is there a phone number I can note down"],
        },
        announcements={
            Kind.CARD: ["of course, I've got it in front of me", "it begins", "okay, mastercard, that's"],
            Kind.PIN: ["I think I set it to", "my pin would be"],
            Kind.SECURITY_CODE: ["hm it's a bit worn but", "there's a"],
            Kind.ONE_TIME_CODE: ["yes I have a text, it goes", "the number says"],
            Kind.ACCOUNT: ["one moment while I scroll, ah", "savings, so"],
            Kind.PHONE: ["yeah it's", "use my husband's"],
        },
        fillers=["um", "yeah", "followed by", "what else", "ah"],
        corrections=["actually no", "sorry, scrap that", "wrong one", "I'll say that again"],
        encouragements=["uh huh", "thanks, next", "perfect, go on", "okay", "I'm listening"],
        errors=["force", "shoe", "sax", "heaven", "height", "mind", "tooth", "tea", "hero", "want"],
    ),
    RUSSIAN: replace(
        TELLINGS[RUSSIAN],
        questions={
            Kind.CARD: [
                "подскажите, пожалуйста, номер вашей дебетовой карты",
                "мне понадобится шестнадцатизначный номер карты",
                "что за номер на вашей карте",
            ],
            Kind.PIN: ["введите пин-код голосом", "придумайте и назовите новый пин"],
            Kind.SECURITY_CODE: ["какой там трёхзначный код на обратной стороне", "и ещё код безопасности с карты"],
            Kind.ONE_TIME_CODE: ["мы отправили вам одноразовый код, прочитайте", "что за код пришёл в пуше"],
            Kind.ACCOUNT: ["на какой счёт зачислить, назовите номер счёта", "номер договора помните"],
            Kind.PHONE: ["напомните ваш номер телефона", "оставьте мобильный для связи"],
        },
        announcements={
            Kind.CARD: ["вот она, виза", "минутку, очки надену, ага", "начинается так"],
            Kind.PIN: ["пусть будет так", "кажется что"],
            Kind.SECURITY_CODE: ["тут стёрлось, но похоже", "три цифры"],
            Kind.ONE_TIME_CODE: ["только пришёл", "в сообщении"],
            Kind.ACCOUNT: ["сейчас гляну в договор, так", "счёт такой"],
            Kind.PHONE: ["мой сотовый", "пишите"],
        },
        fillers=["эээ", "затем", "дальше", "как его", "м"],
        corrections=["нет-нет", "стоп", "ошибочка", "я не то сказал"],
        encouragements=["так-так", "слышу", "ага, дальше", "хорошо, ещё", "да, диктуйте"],
        errors=["ноги", "тли", "щиты", "осенью", "дивить", "пить", "сеть", "одна из"],
    ),
    CHINESE: replace(
        TELLINGS[CHINESE],
        questions={
            Kind.CARD: ["先跟您核对一下银行卡号", "您把那张信用卡的卡号读给我听", "请问您哪张卡，卡号多少"],
            Kind.PIN: ["请输入或者说出您的密码", "您的电话银行密码是多少"],
            Kind.SECURITY_CODE: ["麻烦看一下卡背面的三位安全码", "还有安全码要报一下"],
            Kind.ONE_TIME_CODE: ["系统给您发了验证码，念给我听", "那个一次性密码是多少"],
            Kind.ACCOUNT: ["您要转到哪个账号", "请说一下您的客户号"],
            Kind.PHONE: ["预留的手机号是哪个", "电话号码麻烦您说一下"],
        },
        announcements={
            Kind.CARD: ["好，我看着卡念", "招商的", "它是"],
            Kind.PIN: ["我设的是", "那就"],
            Kind.SECURITY_CODE: ["磨掉了一点，好像", "写着"],
            Kind.ONE_TIME_CODE: ["短信说", "刚到"],
            Kind.ACCOUNT: ["我翻一下，哦", "是这个"],
            Kind.PHONE: ["打我老公的", "还是原来的"],
        },
        fillers=["嗯嗯", "接着", "下面", "哦"],
        corrections=["等等不对", "我看错行了", "错", "再来一遍"],
        encouragements=["嗯", "继续说", "好的然后", "我在听"],
        errors=["凌", "姨", "饿", "叁啊", "诗", "乌", "流", "气", "把", "救"],
    ),
}
