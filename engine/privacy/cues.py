r"""Phrases that announce a secret number, and phrases that end its window: tables only.

Regular expressions over folded words with one space between them, none between Han characters. A phrase stands for whole words;
``\w*`` is for the endings Russian needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.privacy.kinds import Kind

CUES: Mapping[Kind, Sequence[str]] = {
    Kind.SECURITY_CODE: (
        r"(?:security|verification|validation|safety) (?:code|number|digits)",
        r"(?:cvv|cvc|cvn|cid|cvv2|cvc2|c v v|c v c|c v n)",
        r"(?:code|digits|number|numbers) on the (?:back|reverse)|signature (?:strip|panel)",
        r"(?:код\w*|цифр\w*) (?:\w+ )?сзади",
        r"(?:three|3|digits?|numbers?|code) (?:are |is )?(?:on|at|from) (?:the|its) (?:back|signature|reverse)",
        r"(?:back|reverse) (?:side )?of (?:the|your|my|that) card|card verification",
        r"(?:код\w*|цифр\w*|числ\w*) (?:\w+ )?(?:с|на) (?:оборотн\w+|обратн\w+|задн\w+)",
        r"(?:с|на) (?:оборотн\w+|обратн\w+) сторон\w+",
        r"(?:код\w*|цифр\w*) (?:\w+ )?на обороте|на обороте (?:\w+ )?(?:код\w*|цифр\w*|карт\w+)",
        r"код\w* (?:безопасност\w+|проверк\w+|подлинност\w+)",
        r"(?:[сц][иэ] ви (?:ви|си)|[цс][эе] в[эе] (?:в[эе]|[цс][эе])|цвв|цвц|свв|свс|сивиси|сививи)",
        r"安全码|校验码|背面的?(?:后)?(?:三位|3 ?位)|卡片?背面|末三位|签名栏",
    ),
    Kind.PIN: (
        r"(?:pin|pins|pin code|pin number|p i n|passcode|pass code|secret code|access code|password)",
        r"(?:пин|пина|пину|пином|пинкод\w*|пин код\w*|пароль|пароля|паролем|секретн\w+ код\w*|кодов\w+ слов\w+)",
        r"密码|口令|取款码|支付码",
    ),
    Kind.ONE_TIME_CODE: (
        (
            r"(?:one time|temporary|confirmation|activation|authorization|authentication|sms|texted|text message) "
            r"(?:code|password|passcode|number)"
        ),
        r"(?:code|number|digits|passcode) (?:that )?(?:we|i|you|they) (?:just |have |ve )?(?:sent|texted|got|received|messaged)",
        r"(?:code|number) (?:from|in) (?:the|your|my|a) (?:sms|text|message|email|app)|(?:otp|o t p|the code|your code|my code)",
        r"(?<!zip )(?<!area )(?<!post )(?<!postal )(?<!sort )(?<!branch )code",
        r"код(?:а|у|ом|е)?(?! (?:города|отделения|региона|страны))|(?:смс|sms|短信).{0,4}(?:数字|цифр\w*)",
        r"(?:одноразов\w+|временн\w+) (?:код\w*|парол\w*)|код\w* (?:из|в) (?:смс|sms|сообщени\w+|эсэмэс\w*|пуш\w*)",
        r"код\w* (?:подтверждени\w+|активаци\w+|доступ\w*)|(?:смс|sms|проверочн\w+) код\w*",
        r"(?:назовите|скажите|продиктуйте|мой|ваш) код",
        r"验证码|动态码|短信码|确认码|激活码|动态密码|一次性",
    ),
    Kind.CARD: (
        r"(?:card|long|sixteen digit|16 digit) (?:number|numbers|digits)",
        r"(?:number|numbers|digits) (?:is )?(?:on|of|off|from|across) (?:the |my |your |that |front |of )*card",
        r"(?:last|first) (?:four|4|six|6|eight|8)(?: (?:digits|numbers))?",
        r"(?:my|the|your) (?:\w+ )?(?:card|debit|credit|visa|mastercard) (?:is|number|starts|begins|ends|ending)",
        r"(?:card|visa|mastercard) ending",
        r"номер\w* (?:\w+ ){0,2}карт\w+|карт\w+ (?:номер\w*|заканчива\w+|начина\w+)|цифр\w* (?:\w+ )?карт\w+",
        r"(?:последн\w+|перв\w+) (?:четыре|4|шесть|6) цифр\w*|(?:мо\w|ваш\w?) карт[аыу]|номер на карте",
        r"卡号|卡的?号码?|卡上的?(?:号码|数字)|(?:后|末|尾|前)(?:四|4|六|6) ?位|尾号|(?:银行|信用|借记|储蓄)卡(?:是|号)|我的卡是",
    ),
    Kind.ACCOUNT: (
        (
            r"(?:account|customer|client|member|membership|policy|loan|contract|reference|routing|sort|iban|swift|agreement) "
            r"(?:number|numbers|code|id)|iban|acct number"
        ),
        r"(?:номер\w*|реквизит\w*) (?:\w+ ){0,2}(?:счет\w*|договор\w*|кредит\w*|клиент\w*|полис\w*)",
        r"(?:лицев\w+|расчетн\w+) счет\w*|бик",
        r"账号|帐号|账户号码?|户号|客户号|合同号|账户是",
    ),
    Kind.IDENTITY: (
        r"(?:social security|social|passport|identity|id|licence|license|tax|national insurance|driver s license) number",
        r"(?:ssn|social security|date of birth code)",
        r"(?:номер\w*|сери\w+) (?:\w+ )?паспорт\w*|паспорт\w*|инн|снилс",
        r"身份证(?:号码?)?|证件号码?|护照号码?",
    ),
    Kind.PHONE: (
        r"(?:phone|telephone|mobile|cell|contact|callback|call back|cellphone) number",
        r"(?:call|reach|ring|phone|text) (?:me|you|us|him|her) (?:back )?(?:on|at)",
        r"номер\w* (?:\w+ )?(?:телефон\w*|мобильн\w*)|телефон\w* номер\w*|(?:мой|ваш) (?:номер|телефон)|перезвон\w+ (?:\w+ )?на",
        r"(?:best|contact) number|(?:мобильн|телефон|контактн)\w*",
        r"电话(?:号码?)?|手机号?码?|联系方式|回电",
    ),
    Kind.UNKNOWN: (r"digits|цифр\w*|数字|号码|编号",),
}

CLOSERS: Sequence[str] = (
    r"how much|how many|amount|balance|what (?:date|time|day)|opening hours",
    r"сумм\w+|сколько|баланс\w*|остат\w+|како\w+ (?:числ\w+|дат\w+|день|время)",
    r"多少钱|金额|余额|几号|几点|哪天",
)
"""The talk has turned to sums, counts or dates: numbers that follow are no longer what was asked for before."""
