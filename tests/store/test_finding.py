"""Looking calls up: one suite for both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, func, select, text

from engine.nlu.searching import terms, tokens
from engine.store.database import connect, upgrade
from engine.store.finding import Finding, Wanted, of_days
from engine.store.found_calls import CallFound, Marked, forget, forget_names, moment_of, number_of, put_call
from engine.store.found_models import FoundCallRow, FoundFailureRow, FoundScoreRow
from engine.store.found_words import scrub_words
from tests.databases import KINDS, store_in

BEGAN = datetime(2026, 11, 20, 9, 30, 0, 250_000, tzinfo=UTC)


def call(name: str, said: str = "", after: float = 0.0, **told: object) -> CallFound:
    began = BEGAN + timedelta(seconds=after)
    return replace(CallFound(None, name, began, "1", tuple(tokens(said.split("|")))), **told)  # type: ignore[arg-type]


@pytest.fixture(scope="module", params=KINDS)
def kept(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """One of each for all tests: to make one takes a second."""
    engine = connect(store_in(tmp_path_factory.mktemp("found"), request.param))
    yield engine
    engine.dispose()


@pytest.fixture
def database(kept: Engine) -> Engine:
    with kept.begin() as connection:
        forget(connection, list(connection.scalars(select(FoundCallRow.id))))
    return kept


@pytest.fixture
def put(database: Engine) -> Callable[..., None]:
    def put(*calls: CallFound) -> None:
        with database.begin() as connection:
            for one in calls:
                put_call(connection, one)

    return put


def found(database: Engine, query: str = "", **wanted: object) -> list[str]:
    return [it.name for it in Finding(database).calls(Wanted(terms(query), **wanted))]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said", "query"),
    [
        ("I lost my Debit card", "debit card"), ("I lost my debit card", "card LOST"), ("Я потеряла свою карту", "потеряла"),
        ("я потеряла ещё одну", "ЕЩЕ"), ("我想办信用卡", "信用"), ("我想办信用卡", "用卡"), ("我想办信用卡", "信用卡"), ("我想办信用卡", "卡"),
        ("我想办信用卡", "我"), ("我 想 办 信 用 卡", "信用卡"), ("ＶＩＳＡ卡片", "visa卡"), ("replacement cards", "repl*"),
        ("is there anything else", '"anything else"'), ("I don't know", "don’t"), ("room 12b please", "12b"),
        ("first|办信用卡 second", '"信用卡 second"'), ("𠮷野家", "𠮷野"),
    ],
)  # fmt: skip
def test_a_call_is_found_by_what_was_said_in_it(database: Engine, put: Callable[..., None], said: str, query: str) -> None:
    put(call("a", said), call("b", "something else entirely", 1))

    assert found(database, query) == ["a"]


@pytest.mark.parametrize(
    ("said", "query"),
    [
        ("I lost my card", "card found"), ("anything or else", '"anything else"'), ("信用很好 用卡", "信用卡"), ("postcard", "card"),
        ("cardinal", "card"), ("her number is •", "•1"), ("near or and not", "bank"), ("卡片", "信"),
    ],
)  # fmt: skip
def test_a_call_in_which_it_was_not_said_is_not_found(database: Engine, put: Callable[..., None], said: str, query: str) -> None:
    put(call("a", said))

    assert found(database, query) == []


@pytest.mark.parametrize(
    "query",
    [
        "' OR 1=1 --", '" OR words:x', "words : a", "NEAR(a b)", "a AND OR NOT", "^a", "{words} : b", "a*b*", ") (", "'; DROP TABLE found_calls",
        ":*", "!x & y | z", "<->", "a <2> b", "\\", "a\\", "%", "_", "\x00", "a\x00b", "\ud800", '"', '""', "* * *", "卡'卡", "𰻞𰻞",
    ],
)  # fmt: skip
def test_no_query_is_taken_for_a_command(database: Engine, put: Callable[..., None], query: str) -> None:
    put(call("a", "nothing of the kind"))

    assert found(database, query) in ([], ["a"] if not terms(query) else [])
    assert found(database) == ["a"]


def test_words_that_look_like_commands_are_kept_as_words(database: Engine, put: Callable[..., None]) -> None:
    put(call("a", "'; DROP TABLE calls; -- \x00 OR NOT near \\' 1e5 2.5 a:1 x@y.z http://e/?q=1"))

    assert found(database, "drop table") == found(database, "1e5") == found(database, "or not near") == ["a"]


def test_the_newest_come_first_and_a_page_goes_on_where_the_last_one_ended(database: Engine, put: Callable[..., None]) -> None:
    put(*(call(f"call{place}", "same words", after=place) for place in range(7)))
    finding = Finding(database)
    first = finding.calls(Wanted(terms("words")), most=3)
    second = finding.calls(Wanted(terms("words")), before=first[-1].number, most=3)
    third = finding.calls(Wanted(terms("words")), before=second[-1].number, most=3)

    assert [it.name for it in (*first, *second, *third)] == [f"call{place}" for place in reversed(range(7))]


def test_calls_that_began_in_the_same_moment_are_all_there(database: Engine, put: Callable[..., None]) -> None:
    put(*(call(f"call{place}") for place in range(5)))

    assert sorted(found(database)) == [f"call{place}" for place in range(5)]


def test_a_call_that_is_written_again_is_there_once_as_it_is_now(database: Engine, put: Callable[..., None]) -> None:
    put(call("a", "before", marks=(Marked("card", 50.0, False, 1, ("greets",)),)))
    put(call("a", "after", after=60, marks=(Marked("card", 90.0, False, 0, ()),)))
    [kept] = Finding(database).calls(Wanted())
    with database.connect() as connection:
        left = [connection.scalar(select(func.count()).select_from(table)) for table in (FoundScoreRow, FoundFailureRow)]

    assert (found(database, "before"), found(database, "after")) == ([], ["a"])
    assert (kept.points, kept.began_at) == (90.0, BEGAN + timedelta(seconds=60))
    assert left == [1, 0]


def test_a_conversation_and_its_recording_are_one_call(database: Engine, put: Callable[..., None]) -> None:
    put(CallFound("conversation", None, BEGAN, "1", ("hello",)))
    put(CallFound("conversation", "a" * 64, BEGAN, "2", ("hello", "there")))
    finding = Finding(database)

    assert [it.name for it in finding.calls(Wanted())] == ["conversation"]
    assert finding.call("conversation") == finding.call("a" * 64)


def test_what_is_forgotten_is_found_no_more(database: Engine, put: Callable[..., None]) -> None:
    put(call("a", "here"), call("b", "here", 1))
    with database.begin() as connection:
        forget_names(connection, ["a"])
        left = connection.scalar(text("SELECT count(*) FROM found_words"))

    assert found(database, "here") == ["b"]
    assert left == 1


def test_nothing_of_forgotten_words_is_left_in_the_file(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path}/calls.db")
    upgrade(engine)
    with engine.begin() as connection:
        for place in range(50):
            put_call(connection, call(f"call{place}", f"ordinary words {place}", place))
        put_call(connection, call("secret", "quetzalcoatl walked by", 99))
    with engine.begin() as connection:
        forget_names(connection, ["secret"])
        scrub_words(connection)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    written = b"".join(path.read_bytes() for path in tmp_path.iterdir())

    assert b"ordinary" in written
    assert b"quetzal" not in written


def test_filters_narrow_and_go_together(database: Engine, put: Callable[..., None]) -> None:
    failed = (Marked("card", 40.0, True, 0, ("greets",)), Marked("other", 90.0, False, 0, ()))
    put(
        call("a", "one", team="Cards", agent="Ada", queue="q", language="en", marks=failed),
        call("b", "one two", 1, team="Loans", agent="Ada", outcome="transferred", flow="bank"),
        call("c", "two", 2, team="Cards", direction="outbound"),
    )

    assert found(database, "one", names={"team": "Cards"}) == ["a"]
    assert found(database, names={"agent": "Ada"}) == ["b", "a"]
    assert found(database, names={"outcome": "transferred", "flow": "bank"}) == ["b"]
    assert found(database, names={"direction": "outbound"}) == ["c"]
    assert found(database, failed=("card", "greets")) == found(database, fatal=True) == found(database, below=50.0) == ["a"]
    assert found(database, failed=("other", "greets")) == []


def test_who_is_bound_to_teams_finds_and_chooses_among_theirs_alone(database: Engine, put: Callable[..., None]) -> None:
    put(call("a", "word", team="Cards", agent="Ada"), call("b", "word", 1, team="Loans", agent="Ben"), call("c", "word", 2))
    choices = Finding(database).choices({"Loans"})

    assert found(database, "word", teams={"Loans"}) == ["b"]
    assert found(database, names={"team": "Cards"}, teams={"Loans"}) == []
    assert (choices["agent"], choices["team"]) == (["Ben"], ["Loans"])


def test_days_are_those_of_a_zone(database: Engine, put: Callable[..., None]) -> None:
    put(call("late", after=-34_200), call("next", after=0))  # 00:00 UTC is the next day's morning in Shanghai
    since, until = of_days(date(2026, 11, 20), date(2026, 11, 20), ZoneInfo("UTC"))
    before = of_days(None, date(2026, 11, 19), UTC)[1]

    assert found(database, since=since, until=until) == ["next", "late"]
    assert found(database, until=before) == []


@pytest.mark.parametrize("at", [BEGAN, datetime(1970, 1, 1, tzinfo=UTC), datetime(2199, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)])
def test_a_number_is_the_moment_it_was_made_of(at: datetime) -> None:
    assert moment_of(number_of(at.astimezone(ZoneInfo("Asia/Shanghai")))) == at
