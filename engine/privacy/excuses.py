"""Words that say clearly that the number beside them is no secret: tables only (see :mod:`engine.privacy.patterns`).

``UNITS`` follow a number: money, lengths of time, counts. ``SIGNS`` stand before it and are as clear. ``PLACES`` stand before it
and are weaker: where a PIN, a security code or a one-time code was asked for, they excuse nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

UNITS: Sequence[str] = (
    r"(?:us |hong kong )?(?:dollars?|bucks?|euros?|pounds?|quid|cents?|pence|roubles?|rubles?|yuan|kopecks?)",
    r"(?:grand|usd|eur|gbp|rub)",
    r"(?:k|percent|per cent|percentage|points?|miles?|kilomet\w+|feet|times|steps?)",
    r"(?:(?:business|working|calendar) )?(?:seconds?|minutes?|hours?|days?|weeks?|months?|years?|quarters?|nights)",
    r"(?:am|pm|a m|p m|o'clock|oclock|hundred hours|in the (?:morning|afternoon|evening)|at night)",
    r"(?:of )?(?:january|february|march|april|may|june|july|august|september|october|november|december)",
    (
        r"(?:credit |debit |new |bank |more |other |of (?:the|my|your|these|those|them) )*"
        r"(?:cards?|accounts?|customers?|people|persons?|branches|transactions?|transfers?|payments?|charges?|purchases?|digits?"
        r"|numbers|letters|times|questions?|options?|things?|items?|copies|calls?|attempts?|tries|ways|of (?:us|them))"
    ),
    r"(?:st|nd|rd|th|first|second|third|fourth|fifth|sixth|seventh|eighth|ninth)",
    (
        r"(?:перв|втор|четверт|пят|шест|седьм|восьм|девят|десят|(?:один|две|три|четыр|пят|шест|сем|восем|девят)надцат|двадцат|тридцат)"
        r"(?:ый|ой|ого|ое|ому|ом|ая|ую)|трет(?:ий|ьего|ье|ьей|ью)"
    ),
    r"(?:рубл\w*|руб|копе\w+|доллар\w*|евро|юан\w+|цент\w*|бакс\w*|тенге|процент\w*|балл\w*)",
    r"(?:рабоч\w+ |календарн\w+ |банковск\w+ )?(?:секунд\w*|минут\w*|час\w*|дня|дней|день|недел\w+|месяц\w*)",
    r"(?:год|года|году|годов|лет)",
    r"(?:утра|вечера|ночи|раза|человек\w*|штук\w*|километр\w*|метр\w*|этаж\w*)",
    r"(?:январ\w|феврал\w|март\w?|апрел\w|ма[яй]|июн\w|июл\w|август\w?|сентябр\w|октябр\w|ноябр\w|декабр\w)",
    (
        r"(?:нов\w+ |банковск\w+ |кредитн\w+ |последн\w+ )?(?:карт[аыу]?|карточ\w+|счет|счета|счетов|цифр\w*|знак\w*|операци\w+"
        r"|перевод\w*|платеж\w*|покупк\w*|вопрос\w*|отделени\w+|клиент\w*|звонк\w*|попыт\w+|дет\w+)"
    ),
    r"(?:元|块|圆|角|毛|分(?!行)|美元|美金|欧元|港币|人民币|卢布|英镑|%|钱)",
    r"(?:秒|分钟|小时|钟头|点|天|日|号(?!码)|月|年|周|星期|个(?! ?[零〇一二三四五六七八九])|岁|期|季)",
    r"(?:次|张|位|名|人|笔|家|件|种|步|遍|楼|层|块|条|倍|句|部|分之)",
    r"(?<=一)(?:些|样|般|直|起|定|共|旦|切|会|下|方)",
    r"[%$€£₽¥]",
)

SIGNS: Sequence[str] = (
    r"[$€£₽¥]",
    (
        r"(?:january|february|march|april|may|june|july|august|september|october|november|december)"
        r" (?:the )?(?:twenty |thirty )?(?:first|second|third|[a-z]+th)(?: of)?"
    ),
    r"(?:january|february|march|april|june|july|august|september|october|november|december)(?: the)?",
    r"(?:percentage|rate) of|percent",
    r"百分之",
)

PLACES: Sequence[str] = (
    r"(?:at|until|till|by|before|after|around|about) (?=\w+ (?:fifteen|thirty|forty five|twenty|forty|fifty|ten|15|30|45)$)",
    (
        r"(?:branch|option|extension|room|window|gate|floor|page|step|item|question|version|chapter|street|suite|apartment|unit)"
        r"(?: number)?"
    ),
    r"(?:press|dial|choose|select)",
    r"(?:in|since|year|from|until|by|of|about|around) (?=(?:19|20)\d\d$)",
    r"(?:about|around|roughly|nearly|almost|over|under|approximately|(?:more|less) than|at least|up to) (?=[1-9]\d?0{2,4}$)",
    r"(?:около|примерно|почти|более|менее|порядка|больше|меньше) (?=[1-9]\d?0{2,4}$)",
    r"(?:大约|大概|差不多|将近|超过|不到) ?(?=[1-9]\d?0{2,4}$)",
    r"(?:in|since|year) (?=(?:nineteen|twenty|two thousand)\b)",
    r"(?:balance|amount|total|sum|payment|price|cost)(?: (?:of|is|was|due|will be|comes to|in|your|account))*",
    r"(?:costs?|pay|paid|spent|charged?|transfer|deposit|withdraw|owe)(?: (?:me|you|us|about|around|over))?",
    r"(?:отделени\w+|окн\w+|кабинет\w*|офис\w*|дом|квартир\w+|этаж|вариант\w*|пункт\w*|улиц\w+|строени\w+|корпус)(?: номер\w*)?",
    r"(?:нажмите|нажать|наберите)",
    (
        r"(?:сумм\w+|баланс\w*|остат\w+|стоимост\w+|перевести|снять|положить|заплатить|оплатить)"
        r"(?: (?:в|на|составля\w+|равна|равен|около|счете|вашем))*"
    ),
    r"(?:余额|金额|总共|一共|转|转账|存|取|花了?|付)(?:是|为|了|款)*",
    r"(?:第|按|选)",
)

YEARS: Sequence[str] = (r"(?:19|20)\d\d", r"(?:一九|二[零〇○])[零〇○一二三四五六七八九]{2}")
"""What may be a year, though it is no cardinal."""

RANGES: Sequence[str] = (r"to|or|and|through|till|и|или|до|到|至|或|或者|-",)
"""Between two numbers of which the second has the unit: "two to three weeks"."""
