"""How people say yes and no in English, Russian and Chinese: tables only, as regular expressions.

The rows of a language are tried in order and each eats what it matches, so that a trap ("not sure", "no problem", "of
course not") stands before the words it contains. A row whose value is ``doubt`` makes the phrase neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from engine.core.speech import CHINESE, ENGLISH, RUSSIAN
from engine.core.units import Language

Rows: TypeAlias = tuple[tuple[str, str], ...]

YES, NO, DOUBT = "yes", "no", "doubt"

_ENGLISH: Rows = (
    (DOUBT, r"not (?:quite |so |really |entirely |completely )?sure|don't know|dunno|no idea|maybe|perhaps"),
    (DOUBT, r"no one|nobody|yes or no|i guess not sure"),
    (YES, r"no problem|not a problem|no worries|no doubt|why not|no objections?|can't complain|not wrong"),
    (YES, r"(?:i )?(?:do not|don't) mind"),
    (NO, r"(?:i )?(?:don't|do not) think so|(?:i'm )?afraid not|rather not|no (?:thanks|thank you|way|sir|ma'am|need)"),
    (NO, r"(?:of course|certainly|absolutely|definitely|probably|i think|i guess) not"),
    (NO, r"(?:that|it|this)(?:'s| is| was) (?:not|wrong|incorrect|false)(?: (?:right|correct|it|true|what i \w+))?"),
    (NO, r"(?:isn't|is not|wasn't|ain't) (?:right|correct|it|true)"),
    (NO, r"not (?:right|correct|true|really|at all|now|today|this time|exactly|quite|that)|yeah,? no"),
    (NO, r"(?:i )?(?:don't|do not|didn't|did not|won't|wouldn't)(?: want(?: to| it| that)?)?|forget it|never mind"),
    (NO, r"no|nope|nah|naw|nay|never|negative|wrong|incorrect|false|not|cancel|stop|neither"),
    (NO, r"uh-uh|nuh-uh|uh uh|nuh uh"),
    (YES, r"(?:that|it|this)(?:'s| is| was) (?:right|correct|it|true|fine|good|okay|ok)"),
    (YES, r"i (?:think|believe|guess|suppose) so|of course|go ahead|please do|do it|sounds (?:good|right|great)"),
    (YES, r"by all means|you bet|you got it|for sure|all right|mm-?hm+|uh-huh|uh huh|mm hmm"),
    (YES, r"yes|yeah|yep|yup|yah|ya|yea|aye|sure|correct|right|exactly|absolutely|definitely|certainly|indeed"),
    (YES, r"affirmative|ok|okay|alright|true|fine|confirm(?:ed)?|precisely|perfect|i do|i would|it is|it does"),
)
_RUSSIAN: Rows = (
    (DOUBT, r"не (?:совсем |очень )?уверен[аы]?|не знаю|может быть|наверное?|да или нет|возможно"),
    (YES, r"не против|без проблем|нет проблем|нет возражений|не возражаю|не ошиб\w+|почему (?:бы и )?нет"),
    (NO, r"да нет|конечно,? нет|ни в коем случае|ни за что"),
    (NO, r"не (?:надо|нужно|хочу|буду|верно|так|то|правильно|соглас\w+|подтвержда\w+|требуется|думаю|сейчас|стоит)"),
    (NO, r"нет|неа|неверно|неправильно|нету|отмена|отмените|никогда|ошибка|отказ\w*|не"),
    (YES, r"так и есть|само собой|именно так|все (?:верно|так|правильно)|ну да"),
    (YES, r"да|ага|угу|верно|правильно|конечно|точно|соглас(?:ен|на|ны)|хорошо|ладно|подтверждаю|давайте|давай"),
    (YES, r"именно|безусловно|разумеется|окей|ок|так|можно|пожалуй"),
)
_CHINESE: Rows = (
    (DOUBT, r"是不是|对不对|好不好|要不要|行不行|对不起|不好意思|不知道|不确定|不清楚|没想好|可能|也许|是否"),
    (YES, r"没错|没问题|没有问题|不错|没关系|不介意|没意见|没有错"),
    (NO, r"不是的?|不对|不要|不用了?|不行|不可以|不好|不需要|不想|不同意|不正确|没有|没|别|错了?|取消|算了|否|不"),
    (YES, r"是的?|对的?|好的?|可以|(?<!银)行|嗯+|正确|同意|确认|确定|当然|需要"),
    (YES, r"(?<![\u4e00-\u9fff])要的?(?![\u4e00-\u9fff])"),
)

ROWS: Mapping[Language, Rows] = {ENGLISH: _ENGLISH, RUSSIAN: _RUSSIAN, CHINESE: _CHINESE}
"""By language."""
