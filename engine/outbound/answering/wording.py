"""What machines, networks and people say when they answer, in English, Russian and Chinese.

Greetings are not in the tables: machines say "hello" too, and people in offices thank for the call. Pieces, not sentences: a
recogniser that heard two seconds of a greeting has heard some of them. The tables were written from what operators and telephones
say; what the judged cases of ``bench.answering`` say was written apart. Chinese is matched without spaces, in simplified
characters and those few traditional ones that recognisers write.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from engine.core.units import Language


class Speaker(StrEnum):
    """Whose words they are."""

    MACHINE = "machine"
    NETWORK = "network"
    SCREENING = "screening"
    PERSON = "person"


_PIECES: Final[Mapping[str, Mapping[Speaker, str]]] = {
    "en": {
        Speaker.MACHINE: (
            "leave a message|leave me a message|leave your|leave us a|after the tone|after the beep|at the tone"
            "|voicemail|voice mail|mailbox|mail box|answering machine|come to the phone|take your call"
            "|answer your call|answer the phone|is not available|isn't available|not available right|unavailable"
            "|you have reached|you've reached|youve reached|get back to|return your call|record your"
            "|press one|press two|our office is|is currently closed"
            "|not here right now|your call has been|forwarded|voice message|hang up|can't take|cannot take"
            "|sorry i missed|i missed you|we missed you|not in the office|speak after|after you hear|leave us"
            "|leave word|nobody is|no one is|can't get to the phone|unable to|as soon as i can|as soon as we can"
            "|office hours|opening hours|we are closed|we're closed|is now closed|for emergencies|you've called"
            "|you have called|at work|text me|has been forwarded|is full"
        ),
        Speaker.NETWORK: (
            "the number you|number you have|not in service|been disconnected|cannot be completed"
            "|can't be completed|the subscriber|the customer you|switched off|out of coverage|all circuits"
            "|please check the number|try your call|try again later|please hold|your call will be"
            "|are currently assisting|representatives|the person you|the person at|is not reachable|we're sorry"
            "|we are sorry|no longer in service|could not be connected|cannot be connected|congestion|network"
            "|dialled|dialed|currently unreachable|is unreachable|hang up and|call back later|you are calling is"
            "|you're calling is|trying to reach"
        ),
        Speaker.SCREENING: (
            "state your name|say your name|your name and|why you're calling|why you are calling"
            "|reason for your call|reason for calling|screening|call assist|virtual assistant|see if this person"
            "|if they're available|record your name|this is an assistant|an assistant|who is calling and"
            "|using a screening|will get a copy"
        ),
        Speaker.PERSON: (
            "yes|yeah|yep|speaking|who's this|who is this|who's calling|who is calling|can i help|may i help"
            "|i help you|what do you want|how are you|go ahead|hang on|hold on|one second|one moment"
            "|just a second|reception|what is it|can you hear me|who am i talking|sorry i'm driving"
        ),
    },
    "ru": {
        Speaker.MACHINE: (
            "оставьте|оставить сообщение|после сигнала|после гудка|не может ответить|не могу ответить"
            "|не могу подойти|не можем ответить|автоответчик|голосов|вы позвонили|вы дозвонились|перезвон"
            "|свяжусь с вами|свяжемся|ваше сообщение|не может подойти|сейчас не могу|нет дома|нажмите|ваш звонок"
            "|не успел|говорите после|нас нет|никто не|по окончании|перенаправлен"
            "|пару слов|операторы заняты|уже закрыт|мы закрыты|нерабочее|не можем подойти|запишите|автоматическ"
            "|повесьте"
        ),
        Speaker.NETWORK: (
            "абонент|вне зоны|недоступен|набран|номер не|не обслуживается|не существует|заблокирован"
            "|не зарегистрирован|выключен|линия перегружена|вид связи|линия|сети|неправильно|телефон вызываемого"
            "|вызываемый|позвоните позже|перегружен"
        ),
        Speaker.SCREENING: (
            "назовите|представьтесь|цель звонка|цель вашего|причину звонка|по какому вопросу|помощник|секретар"
            "|ассистент|по какому поводу|что передать|ваше имя и|узнаю удобно|удобно ли"
        ),
        Speaker.PERSON: (
            "да|слушаю|слушаем|кто это|говорите|чем могу|секунду|секундочку|минутку|минуточку|подождите"
            "|что вы хотели|кого вам|вас слушает|слушает|администратор|плохо слышно|с кем я"
        ),
    },
    "zh": {
        Speaker.MACHINE: (
            "留言|嘀声|滴声|嘟声|提示音|嘀一声|滴的一声|信箱|不方便接|无法接听|不能接听|没办法接|回复您|回电"
            "|给您回|给你回|转接|录音|按一|按1|按零|留下您|留下你|請在"
            "|無法接聽|錄音|信息留下|接不了|听到嘀|听到滴|口信|录制|挂机|没有人接|现在没有人|都不在|出门了"
            "|休息时间|已经下班|客服正忙|为您服务|井号|联系您|联系你|语音信"
        ),
        Speaker.NETWORK: (
            "您拨打|你拨打|您拨|您撥|你撥|拨打的|撥打的|无法接通|無法接通|关机|關機|通话中|通話中|空号|空號"
            "|无人接听|無人接聽|再拨|再撥|用户|用戶|停机|停機|不在服务区|不在服務區|暂停服务|号码不存在|线路忙"
            "|网络忙|網絡忙|呼叫的|拨叫|已停机|稍后再|请您稍后|請您稍後|不存在|所拨"
        ),
        Speaker.SCREENING: (
            "来意|來意|助理|助手|秘书|秘書|转告|轉告|代接|哪里打来|打电话的原因|是否接听|是否接聽|您是哪位，有什么事|机主"
        ),
        Speaker.PERSON: (
            "喂|什么可以帮|什麼可以幫|哪位|谁啊|誰啊|请讲|請講|找谁|找誰|在的|嗯|等一下|稍等|听得见|聽得見|我就是"
            "|需要什么|有什么需要|预约|請問你是|请问你是|你找|前台"
        ),
    },
}
_WORDS: Final = re.compile(r"[\w']+")


@dataclass(frozen=True, slots=True)
class Said:
    """How much of whose words there is."""

    counts: Mapping[Speaker, int]

    words: int
    """In all; two Chinese characters count as one."""

    @property
    def of_machines(self) -> int:
        """Pieces that no person says."""
        return sum(count for speaker, count in self.counts.items() if speaker is not Speaker.PERSON)

    @property
    def of_people(self) -> int:
        """Pieces of people who answer."""
        return self.counts.get(Speaker.PERSON, 0)

    @property
    def machine(self) -> Speaker:
        """Which of the machines says most of it; a robot that asks who calls says the words of machines too."""
        if self.counts.get(Speaker.SCREENING, 0):
            return Speaker.SCREENING
        return Speaker.NETWORK if self.counts.get(Speaker.NETWORK, 0) > self.counts.get(Speaker.MACHINE, 0) else Speaker.MACHINE


NOTHING: Final = Said({}, 0)


def heard(text: str, language: Language) -> Said:
    """Count the pieces of each; a language without a table has its words counted, and no more."""
    words = _WORDS.findall(text.lower().replace("’", "'"))
    tables = _PIECES.get(language, {})
    chinese = language == "zh"
    joined = "".join(words) if chinese else f" {' '.join(words)} "
    counts = {
        speaker: sum(_has(joined, it, speaker, chinese=chinese) for it in row.split("|")) for speaker, row in tables.items()
    }
    return Said({speaker: count for speaker, count in counts.items() if count}, len(joined) // 2 if chinese else len(words))


def _has(text: str, piece: str, speaker: Speaker, *, chinese: bool) -> bool:
    """People's short words are matched whole; the rest from a word's beginning on, for Russian bends its ends."""
    if chinese:
        return piece in text
    return f" {piece} " in text if speaker is Speaker.PERSON else f" {piece}" in text
