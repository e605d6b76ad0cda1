"""When somebody wants to be called, in three languages."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.speech import CHINESE, ENGLISH, RUSSIAN
from engine.core.units import Language
from engine.nlu.interpretation import Question
from engine.nlu.slots import find_moment, find_slots

SUNDAY = datetime.fromisoformat("2026-11-22T14:10")
LANGUAGES = st.sampled_from([ENGLISH, RUSSIAN, CHINESE, Language("ko")])


@pytest.mark.parametrize(
    ("text", "language", "value"),
    [
        ("tomorrow after six", ENGLISH, "2026-11-23T18:00"),
        ("tomorrow at six in the morning", ENGLISH, "2026-11-23T06:00"),
        ("call me back on friday at half past five", ENGLISH, "2026-11-27T17:30"),
        ("on the third of december at ten thirty", ENGLISH, "2026-12-03T10:30"),
        ("in two hours", ENGLISH, "2026-11-22T16:10"),
        ("in half an hour please", ENGLISH, "2026-11-22T14:40"),
        ("in about an hour", ENGLISH, "2026-11-22T15:10"),
        ("in 20 minutes", ENGLISH, "2026-11-22T14:30"),
        ("tomorrow morning", ENGLISH, "2026-11-23T10:00"),
        ("this evening", ENGLISH, "2026-11-22T18:00"),
        ("tonight at eight", ENGLISH, "2026-11-22T20:00"),
        ("today at nine", ENGLISH, "2026-11-22T21:00"),
        ("at 5 p.m.", ENGLISH, "2026-11-22T17:00"),
        ("quarter to seven", ENGLISH, "2026-11-22T18:45"),
        ("twenty past eleven", ENGLISH, "2026-11-23T11:20"),
        ("6:30", ENGLISH, "2026-11-22T18:30"),
        ("at nine o'clock", ENGLISH, "2026-11-23T09:00"),
        ("monday", ENGLISH, "2026-11-23T10:00"),
        ("later today", ENGLISH, "2026-11-22T16:10"),
        ("next week", ENGLISH, "2026-11-23T10:00"),
        ("at noon tomorrow", ENGLISH, "2026-11-23T12:00"),
        ("five", ENGLISH, "2026-11-22T17:00"),
        ("завтра после шести", RUSSIAN, "2026-11-23T18:00"),
        ("завтра в шесть вечера", RUSSIAN, "2026-11-23T18:00"),
        ("в десять утра", RUSSIAN, "2026-11-23T10:00"),
        ("в половине седьмого", RUSSIAN, "2026-11-22T18:30"),
        ("без четверти семь", RUSSIAN, "2026-11-22T18:45"),
        ("в пятницу в пятнадцать тридцать", RUSSIAN, "2026-11-27T15:30"),
        ("через час", RUSSIAN, "2026-11-22T15:10"),
        ("через полчаса", RUSSIAN, "2026-11-22T14:40"),
        ("через два часа", RUSSIAN, "2026-11-22T16:10"),
        ("перезвоните завтра утром", RUSSIAN, "2026-11-23T10:00"),
        ("вечером", RUSSIAN, "2026-11-22T18:00"),
        ("послезавтра в 18:30", RUSSIAN, "2026-11-24T18:30"),
        ("в час дня в среду", RUSSIAN, "2026-11-25T13:00"),
        ("часа в три", RUSSIAN, "2026-11-22T15:00"),
        ("в понедельник", RUSSIAN, "2026-11-23T10:00"),
        ("на следующей неделе", RUSSIAN, "2026-11-23T10:00"),
        ("明天下午三点", CHINESE, "2026-11-23T15:00"),
        ("明天晚上八点半", CHINESE, "2026-11-23T20:30"),
        ("六点以后", CHINESE, "2026-11-22T18:00"),
        ("下午三点一刻", CHINESE, "2026-11-22T15:15"),
        ("上午十点", CHINESE, "2026-11-23T10:00"),
        ("半个小时以后", CHINESE, "2026-11-22T14:40"),
        ("两个小时后", CHINESE, "2026-11-22T16:10"),
        ("二十分钟后", CHINESE, "2026-11-22T14:30"),
        ("周五上午", CHINESE, "2026-11-27T10:00"),
        ("明天", CHINESE, "2026-11-23T10:00"),
        ("晚上", CHINESE, "2026-11-22T18:00"),
        ("下周再打", CHINESE, "2026-11-23T10:00"),
    ],
)
def test_moments(text: str, language: Language, value: str) -> None:
    found = find_moment(text, language, SUNDAY)

    assert found is not None
    assert found.value == value


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("i have no time", ENGLISH),
        ("call me later", ENGLISH),
        ("my two cards", ENGLISH),
        ("перезвоните позже", RUSSIAN),
        ("мне некогда", RUSSIAN),
        ("以后再打", CHINESE),
        ("我在开会", CHINESE),
        ("tomorrow", Language("ko")),
    ],
)
def test_what_names_no_time_is_no_moment(text: str, language: Language) -> None:
    assert find_moment(text, language, SUNDAY) is None


def test_a_moment_is_looked_for_only_where_it_is_wanted() -> None:
    said, asked = "tomorrow after six", Question(today=SUNDAY.date(), local=SUNDAY)

    assert "moment" not in find_slots(said, asked)
    assert find_slots(said, Question(slot="moment", today=SUNDAY.date(), local=SUNDAY))["moment"] == "2026-11-23T18:00"
    assert find_slots(said, Question(also=("moment",), local=SUNDAY))["moment"] == "2026-11-23T18:00"
    assert "moment" not in find_slots(said, Question(slot="moment"))


@given(st.text(max_size=40), LANGUAGES)
def test_whatever_is_said_nothing_breaks(text: str, language: Language) -> None:
    found = find_moment(text, language, SUNDAY)

    assert found is None or datetime.fromisoformat(found.value)
