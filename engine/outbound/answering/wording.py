"""What machines, networks and people say when they answer, in English, Russian and Chinese.

Greetings are not in the tables: machines say "hello" too, and people in offices thank for the call. Pieces, not sentences: a
recogniser that heard two seconds of a greeting has heard some of them. The tables were written from what operators and telephones
say, and from what was missed on the fitted part of ``bench.answering``. Chinese is matched without spaces, in simplified
characters and those few traditional ones that recognisers write.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from engine.core.units import Language
from engine.outbound.answering.leaning import leaning, terms, words_of


class Speaker(StrEnum):
    """Whose words they are."""

    MACHINE = "machine"
    NETWORK = "network"
    SCREENING = "screening"
    PERSON = "person"


_PIECES: Final[Mapping[str, Mapping[Speaker, str]]] = {
    "en": {
        Speaker.MACHINE: (
            "leave a message|leave me a message|leave your|voicemail|voice mail|mailbox|mail box"
            "|answering machine|come to the phone|take your call|answer your call|answer the phone"
            "|is not available|isn't available|not available right|unavailable|you have reached|you've reached"
            "|youve reached|get back to|record your|press one|press two|our office is|is currently closed"
            "|not here right now|your call has been|forwarded|voice message|may hang up|can't take|cannot take"
            "|sorry i missed|i missed you|we missed you|not in the office|speak after|after you hear|leave us"
            "|leave word|nobody is|no one is|can't get to the phone|unable to|as soon as i can|as soon as we can"
            "|office hours|opening hours|we're closed|is now closed|for emergencies|you've called|you have called"
            "|at work|text me|is full|please leave|can't come|cannot come|can't answer|cannot answer|can't talk"
            "|not able to|not at home|not home|away from|i'm away|i am away|out of the office|on another call"
            "|other line|on vacation|on holiday|is closed|are closed|call you back|return your|business hours"
            "|our hours|the beep|the tone|automated|automatic|to record|pound key|hash key|stay on the"
            "|important to us|extension|name and number|your message|at the moment please|this is the voice"
            "|reached the|you reached|record a|press three|press zero|dial zero|be recorded|is recorded|your call is"
            "|party's extension|through friday|longer with"
        ),
        Speaker.NETWORK: (
            "the number you|number you have|not in service|been disconnected|cannot be completed"
            "|can't be completed|the subscriber|switched off|out of coverage|all circuits|please check the number"
            "|try your call|try again later|please hold|your call will be|are currently assisting|representatives"
            "|the person you|the person at|is not reachable|we're sorry|we are sorry|no longer in service"
            "|could not be connected|cannot be connected|congestion|network|dialled|dialed|currently unreachable"
            "|is unreachable|hang up and|call back later|you are calling is|you're calling is|trying to reach"
            "|out of service|cannot be reached|can't be reached|is not answering|does not answer|temporarily"
            "|has been changed|currently busy|not accepting|turned off|powered off|wireless|the customer"
            "|the mobile|not valid|is invalid|dial again|and dial|your party|calls to this|this number has"
            "|not allocated|is restricted|service area|not been recognised|not been recognized"
            "|not recognised|this call cannot|call cannot be"
        ),
        Speaker.SCREENING: (
            "state your name|say your name|your name and|why you're calling|why you are calling"
            "|reason for your call|reason for calling|screening|call assist|virtual assistant|see if this person"
            "|if they're available|record your name|an assistant|who is calling and|will get a copy"
            "|the purpose of|try to connect you|say who|who you are and|your name after|screened|screens"
            "|before i put|please state"
        ),
        Speaker.PERSON: (
            "yes|yeah|yep|speaking|who's this|who is this|who's calling|who is calling|can i help|may i help"
            "|i help you|what do you want|how are you|go ahead|hang on|hold on|one second|one moment"
            "|just a second|reception|what is it|can you hear me|who am i talking|sorry i'm driving"
            "|take a message|let me get|i'm listening|who are you|wrong number|i'm busy|i'm driving|in a meeting"
            "|is that|say again|who do you want|who would you|what can i do|what's up|i can hear you"
        ),
    },
    "ru": {
        Speaker.MACHINE: (
            "оставьте|не может ответить|не могу ответить|не могу подойти|не можем ответить|автоответчик|голосов"
            "|вы позвонили|вы дозвонились|перезвон|свяжусь с вами|свяжемся|не может подойти|сейчас не могу"
            "|нет дома|нажмите|ваш звонок|не успел|говорите после|нас нет|никто не|по окончании|перенаправлен"
            "|пару слов|операторы заняты|нерабочее|не можем подойти|запишите|автоматическ|повесьте|ответить на"
            "|подойти к|взять трубку|не можем взять|не слышу|нет на месте|отсутству|в отпуске"
            "|приветствует|рабочее время|рабочий день|режим работы|часы работы"
            "|мы работаем|работаем с|закрыт|оставайтесь|ожидайте|важен для нас|добавочн|тональн|запишу"
            "|записан|записыва|назовите себя|как только|сигнал|гудк|сообщение|сообщения|отвечу вам|ответим вам"
            "|свяжитесь|меня нет|телефон семьи|в данный момент|в настоящее время"
            "|соглашаетесь|дозвонились"
        ),
        Speaker.NETWORK: (
            "абонент|вне зоны|недоступен|набран|номер не|не обслуживается|не существует|заблокирован"
            "|не зарегистрирован|выключен|вид связи|линия|сети|неправильно|позвоните позже|перегружен|аппарат"
            "|вызываем|вызов|не может быть|не отвечает|набрали|набираем|неверно|проверьте|соединени|роуминг"
            "|временно|отключ|ограничен|на линии связи|номер заблок|номер изм|номер времен|перегрузк|попробуйте"
            "|повторите|зоны действ|обслуживается|недостаточно средств|установлено ограничение"
        ),
        Speaker.SCREENING: (
            "назовите|представьтесь|по какому вопросу|помощник|секретар|ассистент|по какому поводу|что передать"
            "|ваше имя и|узнаю удобно|удобно ли|виртуальн|робот|передам|сообщу|цель|причин|кто звонит и"
            "|как вас представить|ваш вопрос|какой целью|нужно передать"
        ),
        Speaker.PERSON: (
            "да|слушаю|слушаем|кто это|говорите|чем могу|секунду|секундочку|минутку|минуточку|подождите"
            "|что вы хотели|кого вам|вас слушает|слушает|администратор|плохо слышно|с кем я|алло|аллё|ало"
            "|у аппарата|вы кто|вам кого|куда звоните|ошиблись|за рулём|за рулем|на совещании|не слышно|слышу вас"
            "|чем помочь|что хотели|что вам"
        ),
    },
    "zh": {
        Speaker.MACHINE: (
            "留言|滴声|嘟声|提示音|滴的一声|信箱|没办法接|回复您|回电|给您回|给你回|转接|录音|按一|按1|按零|請在"
            "|接不了|听到滴|口信|录制|挂机|没有人接|现在没有人|都不在|出门了|休息时间|客服正忙|为您服务|井号"
            "|联系您|联系你|不方便|没法接|无法接|不能接|没空接|暂时不能|暂时没|现在不能|现在无法|现在没办法"
            "|不在家|不在办公|我们不在|外出|度假|休假|放假|营业时间|上班时间|工作时间|办公时间|下班|打烊|请按"
            "|分机|人工服务|排队|尽快|回拨|答复|姓名和|您的姓名|短信|嘀|哔|响后|声后|答录|自动|挂断|请留|语音"
            "|出去了|接电话|坐席|没人接|家里没人|無法|錄|請留|留下"
        ),
        Speaker.NETWORK: (
            "您拨|您撥|你撥|撥打的|关机|關機|通话中|通話中|空号|空號|无人接听|無人接聽|再拨|再撥|用户|用戶|停机"
            "|停機|不在服務區|暂停服务|线路忙|网络忙|網絡忙|拨叫|稍后再|请您稍后|請您稍後|不存在|所拨|拨打|您所"
            "|正在通话|接通|欠费|服务区|占线|忙线|查证|核对|呼叫|受限|限制|未开通|转移|对不起您|對不起您"
            "|被叫|主叫|系统繁忙|不可达|电话已|电话正"
        ),
        Speaker.SCREENING: (
            "来意|來意|助理|助手|秘书|秘書|转告|轉告|代接|哪里打来|打电话的原因|是否接听|是否接聽"
            "|您是哪位，有什么事|机主|转达|主人|智能|机器人|说出|请说明|请告诉|请简单|代为|替他接|替她接|过滤"
            "|骚扰"
        ),
        Speaker.PERSON: (
            "喂|什麼可以幫|哪位|谁啊|誰啊|请讲|請講|找谁|找誰|在的|嗯|等一下|稍等|听得见|聽得見|我就是|需要什么"
            "|有什么需要|预约|請問你是|请问你是|你找|前台|你说|您说|你讲|您讲|你谁|谁呀|在开车|在开会|听不清"
            "|听不见|打错|是我|啥事|找我|讲吧|说吧|知道了|能帮您|可以帮"
        ),
    },
}


@dataclass(frozen=True, slots=True)
class Said:
    """How much of whose words there is."""

    counts: Mapping[Speaker, int]

    words: int
    """In all; two Chinese characters count as one."""

    leaning: float = 0.0
    """Log-odds of all the words for a machine's: :mod:`engine.outbound.answering.leaning`."""

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
    words = words_of(text)
    said = Said(_counts(words, language), len("".join(words)) // 2 if language == "zh" else len(words))
    return replace(said, leaning=leaning(terms(words, language) | _marks(said), language))


def leaning_terms(words: list[str], language: Language) -> frozenset[str]:
    """All of these words that can lean, pieces too: what the fit counts."""
    return terms(words, language) | _marks(Said(_counts(words, language), len(words)))


def _marks(said: Said) -> frozenset[str]:
    machines = ("<machine>", "<machines>")[: said.of_machines]
    return frozenset((*machines, *("<person>", "<people>")[: said.of_people]))


def _counts(words: list[str], language: Language) -> Mapping[Speaker, int]:
    tables = _PIECES.get(language, {})
    chinese = language == "zh"
    joined = "".join(words) if chinese else f" {' '.join(words)} "
    counts = {
        speaker: sum(_has(joined, it, speaker, chinese=chinese) for it in row.split("|")) for speaker, row in tables.items()
    }
    return {speaker: count for speaker, count in counts.items() if count}


def _has(text: str, piece: str, speaker: Speaker, *, chinese: bool) -> bool:
    """People's short words are matched whole; the rest from a word's beginning on, for Russian bends its ends."""
    if chinese:
        return piece in text
    return f" {piece} " in text if speaker is Speaker.PERSON else f" {piece}" in text
