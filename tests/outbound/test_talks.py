"""The demo campaigns talked through in text, in three languages: what is said, what comes of it, and what a stranger never hears."""

from __future__ import annotations

import pytest

from engine.core.speech import Transcript
from engine.dialogue.actions import AskAgent, Record, TransferCall
from engine.dialogue.codec import actions_from_json, to_json
from engine.dialogue.events import AgentAnswered, AgentVerdict, Heard, HeardNothing
from engine.dialogue.machine import State
from engine.dialogue.replay import replay
from engine.dialogue.results import Result
from engine.outbound.contacts import Outcome
from engine.outbound.talk import Talk, opt_out_in, outcome_of
from tests.outbound.talks import Spoken

PROVED = {
    "en": ("yes speaking", "the second of march nineteen eighty"),
    "ru": ("да это я", "второе марта тысяча девятьсот восьмидесятого года"),
    "zh": ("是我", "一九八零年三月二号"),
}
DEBT = {"en": ("overdue", "hundred and fifty", "owe"), "ru": ("просроч", "двести пятьдесят"), "zh": ("逾期", "二百五十", "欠款")}


def overdue(language: str, *said: str, proved: bool = False, agents: bool = False) -> Spoken:
    spoken = Spoken("overdue_notice", language, agents=agents)
    for one in (*(PROVED[language] if proved else ()), *said):
        spoken.say(one)
    return spoken


def offer(language: str, *said: str) -> Spoken:
    spoken = Spoken("deposit_offer", language)
    for one in said:
        spoken.say(one)
    return spoken


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ("I will pay on Friday", "yes", "yes that's right")),
        ("en", ("next friday please", "yes all of it", "yes")),
        ("en", ("how much is it", "on friday", "yes", "correct")),
        ("en", ("next year", "on friday then", "yes", "yes")),
        ("ru", ("заплачу в пятницу", "да", "да верно")),
        ("ru", ("в пятницу", "да всю сумму", "верно")),
        ("ru", ("где можно оплатить", "в пятницу", "да", "да")),
        ("zh", ("我星期五还", "是的", "对")),
        ("zh", ("星期五", "全部", "是的")),
    ],
)
def test_who_promises_friday_has_promised_friday_and_the_whole_sum(language: str, said: tuple[str, ...]) -> None:
    talk = overdue(language, *said, proved=True).end()

    assert talk.outcome is Outcome.PROMISED
    assert talk.details == {"date": "2026-11-27", "amount": "250.00 EUR"}


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ("I'll pay on friday", "no only a part of it", "a hundred", "on friday", "yes")),
        ("en", ("I have no money", "yes", "twenty", "a hundred euros", "on friday", "yes")),
        ("ru", ("у меня нет денег", "да", "сто евро", "в пятницу", "да")),
        ("zh", ("我没有钱", "可以", "一百", "星期五", "对")),
    ],
)
def test_a_part_between_the_least_and_all_may_be_promised(language: str, said: tuple[str, ...]) -> None:
    talk = overdue(language, *said, proved=True).end()

    assert talk.outcome is Outcome.PROMISED
    assert talk.details == {"date": "2026-11-27", "amount": "100.00 EUR"}


def test_date_and_amount_are_read_back_before_they_count() -> None:
    spoken = overdue("en", "I will pay on Friday", "yes", proved=True)

    assert "you pay two hundred and fifty euros on the twenty-seventh of November" in spoken.said
    assert spoken.talk.outcome is Outcome.INFORMED


def test_a_promise_that_is_corrected_counts_as_corrected() -> None:
    talk = overdue("en", "I will pay on Friday", "yes", "no", "on monday", "yes", "yes", proved=True).end()

    assert talk.details["date"] == "2026-11-23"


def test_a_day_out_of_bounds_is_told_its_bounds() -> None:
    spoken = overdue("en", "on the tenth of january", "yesterday", proved=True)

    assert spoken.said.count("I can note a day up to the sixth of December, twenty twenty-six.") >= 1
    assert spoken.talk.outcome is Outcome.INFORMED


MOMENTS = [
    ("en", "stop calling me"),
    ("en", "take me off your list"),
    ("en", "don't you ever call me again"),
    ("ru", "не звоните мне больше"),
    ("ru", "прекратите мне звонить"),
    ("zh", "不要再打电话给我"),
    ("zh", "以后别打了"),
]
WALK = {
    "en": (*PROVED["en"], "I will pay on Friday", "no only a part", "a hundred", "on friday"),
    "ru": (*PROVED["ru"], "заплачу в пятницу", "только часть", "сто евро", "в пятницу"),
    "zh": (*PROVED["zh"], "我星期五还", "只能还一部分", "一百", "星期五"),
}


@pytest.mark.parametrize(("language", "wish"), MOMENTS)
def test_no_more_calls_is_understood_at_every_question(language: str, wish: str) -> None:
    for questions in range(len(WALK[language]) + 1):
        spoken = overdue(language, *WALK[language][:questions], wish)
        talk = spoken.talk

        assert (talk.outcome, talk.details["scope"]) == (Outcome.OPTED_OUT, "all"), (questions, spoken.nodes)


def test_no_more_calls_counts_in_the_step_it_is_said_even_into_a_prompt() -> None:
    spoken = overdue("en", *PROVED["en"])
    spoken.interrupt("stop calling me")

    assert opt_out_in(spoken.steps[-1][1]) == Record(Result.OPTED_OUT, {"scope": "all"})


def test_an_opt_out_stands_whatever_is_said_behind_it() -> None:
    spoken = overdue("en", "stop calling me")
    spoken.interrupt("stop calling me put me through to a person")
    talk = spoken.end()

    assert talk.outcome is Outcome.OPTED_OUT


@pytest.mark.parametrize("scopes", [("campaign", "all"), ("all", "campaign")])
def test_of_two_opt_outs_the_wider_one_counts(scopes: tuple[str, str]) -> None:
    talk = outcome_of([(None, [Record(Result.OPTED_OUT, {"scope": scope})]) for scope in scopes])

    assert (talk.outcome, talk.details["scope"]) == (Outcome.OPTED_OUT, "all")


@pytest.mark.parametrize(
    ("language", "said", "at"),
    [
        ("en", ("I'm busy, call me tomorrow after six", "yes"), "2026-11-23T18:00"),
        ("en", ("I'm driving", "in two hours", "yes"), "2026-11-22T16:10"),
        ("en", ("not now please call back later", "tomorrow morning", "no", "tomorrow at noon", "yes"), "2026-11-23T12:00"),
        ("ru", ("я занят, перезвоните завтра после шести", "да"), "2026-11-23T18:00"),
        ("ru", ("я за рулём", "через два часа", "да"), "2026-11-22T16:10"),
        ("zh", ("我在开会，明天下午三点再打", "是的"), "2026-11-23T15:00"),
        ("zh", ("现在不方便", "晚上八点", "对"), "2026-11-22T20:00"),
    ],
)
def test_who_is_busy_is_called_when_they_say(language: str, said: tuple[str, ...], at: str) -> None:
    for campaign in ("overdue_notice", "deposit_offer"):
        spoken = Spoken(campaign, language)
        for one in said:
            spoken.say(one)
        talk = spoken.end()

        assert (talk.outcome, talk.call_later) == (None, True), spoken.nodes
        assert talk.call_at is not None
        assert talk.call_at.isoformat(timespec="minutes") == at


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ("call me some other day", "I don't know", "well")),
        ("ru", ("перезвоните в другой раз", "не знаю", "ну")),
        ("zh", ("改天再说吧", "不知道", "嗯")),
    ],
)
def test_who_names_no_time_is_called_another_time(language: str, said: tuple[str, ...]) -> None:
    talk = overdue(language, *said).end()

    assert (talk.outcome, talk.call_later, talk.call_at) == (None, True, None)


@pytest.mark.parametrize(
    ("language", "said", "outcome"),
    [
        ("en", ("no you have the wrong number",), Outcome.WRONG_PERSON),
        ("en", ("no",), Outcome.WRONG_PERSON),
        ("ru", ("вы ошиблись номером",), Outcome.WRONG_PERSON),
        ("ru", ("нет",), Outcome.WRONG_PERSON),
        ("zh", ("你打错了",), Outcome.WRONG_PERSON),
        ("zh", ("不是",), Outcome.WRONG_PERSON),
        ("en", ("who is this", "how much does he owe", "wrong number"), Outcome.WRONG_PERSON),
        ("en", ("yes", "the fifth of may nineteen seventy seven", "I don't remember"), Outcome.WRONG_PERSON),
        ("ru", ("да", "пятое мая тысяча девятьсот семьдесят седьмого года", "не помню"), Outcome.WRONG_PERSON),
        ("zh", ("是的", "一九七七年五月五号", "不记得"), Outcome.WRONG_PERSON),
        ("en", ("he is at work, I am his wife",), None),
        ("ru", ("его нет дома",), None),
        ("zh", ("他不在家",), None),
        ("en", ("how much is it", "I already paid", "what do I owe you"), None),
        ("en", (), None),
        ("ru", (), None),
        ("zh", (), None),
    ],
)
def test_a_stranger_hears_nothing_of_the_debt(language: str, said: tuple[str, ...], outcome: Outcome | None) -> None:
    spoken = overdue(language, *said)
    talk = spoken.end()

    assert talk.outcome is outcome, spoken.nodes
    assert [word for word in DEBT[language] if word in spoken.said] == []


@pytest.mark.parametrize(
    ("language", "wish"), [("en", "I want to speak to a person"), ("ru", "соедините с оператором"), ("zh", "转人工")]
)
def test_who_wants_a_person_gets_one_who_knows_what_was_said(language: str, wish: str) -> None:
    spoken = overdue(language, wish, proved=True)
    talk = spoken.end()
    handed = next(action for action in spoken.done if isinstance(action, TransferCall))

    assert talk.outcome is Outcome.TRANSFERRED
    assert handed.context["right_party"] == "yes"
    assert handed.context["last_words"] == wish


@pytest.mark.parametrize(
    ("language", "said", "outcome"),
    [
        ("en", "I will not pay", Outcome.DECLINED),
        ("ru", "платить не собираюсь", Outcome.DECLINED),
        ("zh", "我拒绝还款", Outcome.DECLINED),
        ("en", "I have already paid it", Outcome.INFORMED),
        ("ru", "я уже оплатил", Outcome.INFORMED),
        ("zh", "我已经还了", Outcome.INFORMED),
        ("en", "I don't owe you anything", Outcome.TRANSFERRED),
        ("ru", "это не мой долг", Outcome.TRANSFERRED),
        ("zh", "我不欠你们钱", Outcome.TRANSFERRED),
    ],
)
def test_objections_are_understood(language: str, said: str, outcome: Outcome) -> None:
    assert overdue(language, said, proved=True).end().outcome is outcome


@pytest.mark.parametrize(
    ("language", "said", "outcome"),
    [
        ("en", ("yes", "yes", "yes please", "five thousand euros", "yes"), Outcome.ACCEPTED),
        ("en", ("yes", "yes", "is it insured", "yes send me the contract", "five thousand", "yes"), Outcome.ACCEPTED),
        ("ru", ("да", "да", "пришлите договор", "пять тысяч евро", "да"), Outcome.ACCEPTED),
        ("zh", ("是的", "方便", "好的", "五千欧元", "是的"), Outcome.ACCEPTED),
        ("en", ("yes", "yes", "I'm not interested"), Outcome.DECLINED),
        ("en", ("yes", "yes", "no"), Outcome.DECLINED),
        ("ru", ("да", "мне не интересно"), Outcome.DECLINED),
        ("zh", ("是我", "方便", "不需要，谢谢"), Outcome.DECLINED),
        ("en", ("no that's not me",), Outcome.WRONG_PERSON),
        ("en", ("yes", "stop calling me with offers"), Outcome.OPTED_OUT),
        ("ru", ("да", "да", "больше не звоните"), Outcome.OPTED_OUT),
        ("zh", ("是的", "别再打电话了"), Outcome.OPTED_OUT),
    ],
)
def test_an_offer_is_taken_or_left(language: str, said: tuple[str, ...], outcome: Outcome) -> None:
    talk = offer(language, *said).end()

    assert talk.outcome is outcome
    if outcome is Outcome.ACCEPTED:
        assert talk.details == {"amount": "5000.00 EUR", "rate": "4.5"}


def test_who_says_nothing_is_left_alone_and_nothing_is_settled() -> None:
    spoken = overdue("en")
    talk = spoken.end()

    assert talk == Talk()
    assert not talk.spoke
    assert "nobody_speaks" in spoken.nodes


def test_who_hangs_up_has_settled_nothing_unless_they_were_told() -> None:
    assert overdue("en", "yes").hang_up() == Talk(spoke=True)
    assert overdue("en", *PROVED["en"]).hang_up().outcome is Outcome.INFORMED


def test_an_unsure_phrase_goes_to_a_silent_agent_and_the_call_goes_on_by_the_answer() -> None:
    spoken = overdue("en", proved=True, agents=True).mumble("only_a_part")
    task = next(action for action in spoken.done if isinstance(action, AskAgent))
    spoken.answer(AgentAnswered(task.task, AgentVerdict.SLOT, value="2026-11-27"))

    assert "stop_calling" in task.allowed
    assert spoken.dialogue.node == "all_of_it"


def test_a_silent_agent_can_not_let_a_stranger_in_nor_promise_out_of_bounds() -> None:
    stranger = overdue("en", agents=True).mumble("who_calls")
    stranger.answer(AgentAnswered(1, AgentVerdict.NODE, intent="how_much"))
    customer = overdue("en", proved=True, agents=True).mumble("only_a_part")
    customer.answer(AgentAnswered(1, AgentVerdict.SLOT, value="2027-11-27"))

    assert stranger.dialogue.node == "who"
    assert customer.dialogue.node == "ask_day"
    assert "promised_date" not in customer.dialogue.slots


def test_a_hello_is_waited_for_and_then_the_engine_speaks() -> None:
    silent, greeted = Spoken("overdue_notice"), Spoken("overdue_notice")
    greeted.interrupt("hello")

    assert silent.dialogue.state is State.OPENING
    assert greeted.nodes == ["greeting", "who"]
    silent.answer(HeardNothing())
    assert silent.nodes == ["greeting", "who"]


def test_what_came_of_it_is_read_from_the_journal_alone_and_the_journal_replays() -> None:
    spoken = overdue("en", "I will pay on Friday", "yes", "yes", proved=True)
    talk = spoken.end()

    kept = [(event, actions_from_json(to_json(actions))) for event, actions in spoken.steps]
    happened = [(now, event) for now, (event, _) in zip(spoken.times, spoken.steps, strict=True) if event is not None]
    again = replay(spoken.flow, happened, language=spoken.language)

    assert outcome_of(kept) == talk
    assert [actions for _, actions in again] == [actions for _, actions in spoken.steps]


def test_what_is_taken_back_has_not_happened() -> None:
    spoken = overdue("en", "I will pay on Friday", "yes", proved=True)
    spoken.say("yes")
    assert spoken.talk.outcome is Outcome.PROMISED

    spoken.answer(Heard(Transcript(), continues=True))

    assert spoken.talk.outcome is Outcome.INFORMED
