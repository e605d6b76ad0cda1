"""The words of calls, in SQLite's full-text index or in PostgreSQL's; what a word is, :mod:`engine.nlu.searching` says.

Nothing of a call or a query is ever read as an operator: both are tokens of letters and digits alone, and in SQLite each is
quoted, in PostgreSQL no parser sees them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from sqlalchemy import ColumnElement, Connection, text

from engine.nlu.searching import Term
from engine.store.found_models import FoundCallRow

_MOST = 200_000  # tokens of a call: a day of speech
_LAST_PLACE = 16_383  # of a word that PostgreSQL tells from others
_LARGEST = 1_000_000  # bytes of one tsvector, about


def put_words(connection: Connection, number: int, tokens: Iterable[str]) -> None:
    """Keep a call's words, instead of those that were kept before."""
    drop_words(connection, [number])
    add_words(connection, [(number, tokens)])


def add_words(connection: Connection, calls: Iterable[tuple[int, Iterable[str]]]) -> None:
    """Keep the words of calls of which none were kept."""
    sqlite = connection.dialect.name == "sqlite"
    put = "(rowid, words) VALUES (:id, :words)" if sqlite else "(id, words) VALUES (:id, CAST(:words AS tsvector))"
    rows = [{"id": number, "words": (" ".join if sqlite else _vector)(list(islice(tokens, _MOST)))} for number, tokens in calls]
    connection.execute(text(f"INSERT INTO found_words {put}"), rows)


def drop_words(connection: Connection, numbers: Sequence[int]) -> None:
    """Forget calls' words."""
    key = "rowid" if connection.dialect.name == "sqlite" else "id"
    for number in numbers:
        connection.execute(text(f"DELETE FROM found_words WHERE {key} = :id"), {"id": number})  # noqa: S608 -- one of two names


def scrub_words(connection: Connection) -> None:
    """Let nothing be left in the file of words that were forgotten; takes seconds where there are many calls.

    SQLite's index only notes that a row is gone, until it is merged whole; PostgreSQL's is left to ``VACUUM``, as every table is.
    """
    if connection.dialect.name == "sqlite":
        connection.execute(text("INSERT INTO found_words (found_words) VALUES ('optimize')"))


def says(dialect: str, terms: Sequence[Term]) -> ColumnElement[bool]:
    """Of :class:`FoundCallRow`: the call's words hold every term."""
    if dialect == "sqlite":
        wanted, query = "SELECT rowid FROM found_words WHERE found_words MATCH :looked_for", _for_sqlite(terms)
    else:
        wanted, query = "SELECT id FROM found_words WHERE words @@ CAST(:looked_for AS tsquery)", _for_postgres(terms)
    return FoundCallRow.id.in_(text(wanted).bindparams(looked_for=query))


def _for_sqlite(terms: Sequence[Term]) -> str:
    """https://www.sqlite.org/fts5.html#full_text_query_syntax."""
    return " AND ".join(f'"{" ".join(term.tokens)}"{" *" if term.beginning else ""}' for term in terms)


def _for_postgres(terms: Sequence[Term]) -> str:
    """https://www.postgresql.org/docs/current/datatype-textsearch.html#DATATYPE-TSQUERY."""
    return " & ".join(f"({' <-> '.join(map(_quoted, term.tokens))}{':*' if term.beginning else ''})" for term in terms)


def _vector(tokens: Sequence[str]) -> str:
    """Words with their places, as PostgreSQL writes them; a call longer than it can hold loses its end."""
    written: list[str] = []
    size = 0
    for place, token in enumerate(tokens, 1):
        written.append(f"{_quoted(token)}:{min(place, _LAST_PLACE)}")
        size += len(written[-1].encode())
        if size > _LARGEST:
            break
    return " ".join(written)


def _quoted(token: str) -> str:
    return f"'{token}'"
