"""What people say between two digits of one number, in their own turn or the other speaker's: tables only.

Such words part nothing and are never counted; every other word is one "unknown" word, a recognition error perhaps.
"""

from __future__ import annotations

from collections.abc import Sequence

GLUE: Sequence[str] = (
    r"(?:and|then|dash|hyphen|slash|space|comma|stroke|minus|plus|dot|point|pause|next|again)",
    r"(?:followed by|starting with|ending in)",
    r"(?:u+m+|u+h+|e+r+m*|h+m+|mm|m hm|mhm|mm hmm|uh huh|oh|ah|well|so|like|you know|let me see|let's see)",
    r"(?:no|nope|wait|sorry|pardon|oops|correction|actually|rather|excuse me|i mean|i meant|make that|make it|scratch that|not)",
    r"(?:that's wrong|that is wrong|my mistake|hold on|hang on|one moment)",
    r"(?:(?:let me |i'll |i will )?(?:start|redo|repeat|restart|say|read|correct|try) (?:that|this|it|again|over)(?: again)?)",
    r"(?:just a (?:sec|second|moment)|bear with me|i (?:misread|misspoke|got it wrong|got that wrong)(?: (?:it|that))?)",
    r"(?:yes|yeah|yep|yup|ok|okay|alright|all right|right|correct|sure)",
    r"(?:got it|got that|great|perfect|thanks|thank you|good|fine|please)",
    r"(?:(?:and )?after that|next (?:one|please)|(?:i'm |i am )?(?:still )?with you|what's this|i've got that|noted|still here)",
    r"(?:go on|go ahead|carry on|continue|keep going|i'm ready|i am ready|i'm listening)",
    r"(?:and then|the rest|what's next|what comes next)",
    r"(?:so that's|so that is|that's|that is|it's|it is|it was|is it|i have|i've got|so i have)",
    r"(?:was that|did you say|you said|i said|which is)",
    r"(?:the )?(?:first|second|third|fourth|last|next) (?:group|block|part|four|one|digit|bit)(?: is)?",
    r"(?:э+м*|м+|гм|хм|ну|вот|так|это|значит|типа|в общем|сейчас|секунд\w+|минут\w+|подождите|погодите|стойте|момент)",
    r"(?:и|а|тире|дефис|дробь|потом|затем|дальше|далее|минус|плюс|точка|пробел|снова|опять|еще|следующ\w+)",
    r"(?:не так|перепутал\w?|оговорил\w+|сбил\w+|исправл\w+|пишу|принято|(?:да )?да|есть)",
    r"(?:нет|не|ой|простите|извините|ошиб\w+|поправ\w+|вернее|точнее|то есть|имею в виду|я хотел\w? сказать|заново|сначала)",
    r"(?:да|ага|угу|хорошо|ладно|ок|окей|понял\w?|понятно|верно|правильно|записал\w?|записываю|слушаю|спасибо|пожалуйста)",
    r"(?:продолжайте|говорите|диктуйте|дальше пожалуйста|у меня|вы сказали|я сказал\w?|повторяю|проверяю)",
    r"(?:嗯+|呃+|啊|哦|额|呀|呢|吧|嘛|那个|这个|然后|接着|后面|再|还有|和|杠|横杠|加|空格)",
    r"(?:不|不是|不对|错了|[说看念]错了|(?:我)?重新(?:说|念|来)|再说一遍|不好意思|哦不|等等|等一下|等下|对不起|抱歉|我是说|应该是|重新来|重来|更正|是)",
    r"(?:对|对的|好|好的|行|是的|没错|可以|知道了|明白|记下了|请讲|请说|请继续|继续|您说|你说|我记一下|在记|谢谢|稍等)",
    r"(?:您说的是|我重复一下|我核对一下|接下来)",
)
