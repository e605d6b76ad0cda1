"""Lists as banks have them: what is taken, and what is said of the rest."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence

import pytest
import xlsxwriter

from bench.lists import CAMPAIGN, DIRT, HEAD, as_csv, rows_of
from engine.outbound.campaign import Campaign, ListRefused
from engine.outbound.campaign_file import parse_campaign
from engine.outbound.list_file import MOST_BYTES, read_list
from engine.outbound.list_rows import Checked, check_list

POLICY: Campaign = parse_campaign(CAMPAIGN, "lists.yaml")
GOOD = ["+79161234567", "C1", "Анна", "1 234,50", "01.12.2026", "**** 1234", "ru", "", "contract", "2024-03-01", ""]


def row(**changes: str) -> list[str]:
    return [changes.get(name, value) for name, value in zip(HEAD, GOOD, strict=True)]


def checked(*rows: Sequence[str], encoding: str = "utf-8") -> Checked:
    return check_list(as_csv(rows, encoding), "list.csv", POLICY)


def workbook(*rows: Sequence[object]) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet()
    for at, cells in enumerate(rows):
        sheet.write_row(at, 0, cells)
    book.close()
    return out.getvalue()


def test_a_good_row_is_a_contact_with_all_values_in_one_form() -> None:
    ((number, contact),) = checked(row()).contacts

    assert number == 2
    assert (contact.person, contact.number, contact.language, contact.zone, contact.country) == (
        "C1",
        "+79161234567",
        "ru",
        "Europe/Moscow",
        "RU",
    )
    assert contact.fields == {"name": "Анна", "amount": "1234.50", "due": "2026-12-01", "card": "1234"}
    assert contact.consent == "contract"
    assert contact.consent_at is not None
    assert contact.consent_at.isoformat() == "2024-02-29T21:00:00+00:00"


@pytest.mark.parametrize("what", DIRT)
def test_dirt_is_refused_with_the_row_the_column_and_no_value(what: str) -> None:
    found = checked(row(), row(**({"customer": "C2", "phone": "+79161234568"} | DIRT[what])))

    assert [number for number, _ in found.contacts] == [2]
    assert {it.row for it in found.wrong} == {3}
    (column,) = DIRT[what]
    assert [it.column for it in found.wrong] == [column]
    assert DIRT[what][column] not in found.wrong[0].found or not DIRT[what][column]


def test_all_that_is_wrong_with_a_row_is_told_at_once() -> None:
    found = checked(row(phone="x", amount="y", due="z", language="tlh"))

    assert [it.column for it in found.wrong] == ["phone", "language", "amount", "due"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1251"])
def test_letters_are_told_by_themselves(encoding: str) -> None:
    ((_, contact),) = checked(row(name="Анна Каренина"), encoding=encoding).contacts

    assert contact.fields["name"] == "Анна Каренина"


def test_chinese_letters_are_told_by_themselves() -> None:
    ((_, contact),) = checked(row(name="王秀英", amount="12345元"), encoding="gb18030").contacts

    assert contact.fields["name"] == "王秀英"


@pytest.mark.parametrize(("name", "encoding"), [("Ångström", "latin-1"), ("Анна", "cp866"), ("Анна", "koi8-r")])
def test_letters_that_nobody_can_be_sure_of_are_asked_for(name: str, encoding: str) -> None:
    with pytest.raises(ListRefused, match="say --encoding"):
        checked(row(name=name), encoding=encoding)


def test_a_person_can_say_the_encoding_and_a_wrong_one_is_told_by_its_line() -> None:
    content = as_csv([row(name="Анна")], "cp1251")

    assert check_list(content, "l", POLICY, encoding="cp1251").contacts[0][1].fields["name"] == "Анна"
    with pytest.raises(ListRefused, match=r"l:2: expected utf-8, found the byte 0xc0"):
        check_list(content, "l", POLICY, encoding="utf-8")


def test_doubles_are_taken_once_by_person_and_by_number() -> None:
    found = checked(row(), row(phone="8 916 000 00 00"), row(customer="C2", phone="8(916)123-45-67"))

    assert [(it.row, it.column, it.found) for it in found.wrong] == [
        (3, "customer", "the same as in row 2"),
        (4, "phone", "the same as in row 2"),
    ]


def test_who_is_in_the_campaign_already_is_not_taken_again() -> None:
    found = check_list(as_csv([row()], "utf-8"), "l", POLICY, known={"+79161234567"})

    assert found.contacts == []
    assert found.wrong[0].found == "one that the campaign has already"


@pytest.mark.parametrize("missing", ["phone", "name", "consent_at"])
def test_a_missing_column_refuses_the_whole_list_and_tells_which_there_are(missing: str) -> None:
    content = as_csv([row()], "utf-8").replace(missing.encode(), b"other", 1)
    with pytest.raises(ListRefused, match=f"expected the column '{missing}', found none; the columns are: .*other"):
        check_list(content, "l", POLICY)


def test_the_zone_is_the_rows_else_the_numbers_else_the_campaigns() -> None:
    zones = [
        it.zone
        for _, it in checked(
            row(zone="Asia/Vladivostok"), row(customer="C2", phone="+74951234567"), row(customer="C3", phone="+79161234560")
        ).contacts
    ]

    assert zones == ["Asia/Vladivostok", "Europe/Moscow", "Europe/Moscow"]


def test_where_the_campaigns_zone_can_not_be_the_numbers_the_row_is_refused() -> None:
    elsewhere = parse_campaign(CAMPAIGN.replace("Europe/Moscow", "Europe/Berlin"), "c")
    found = check_list(as_csv([row()], "utf-8"), "l", elsewhere)

    assert [it.expected for it in found.wrong] == ["a time zone"]


def test_a_formula_of_a_workbook_is_refused_whatever_value_was_kept_with_it() -> None:
    found = check_list(workbook(HEAD, [it if it != "Анна" else '=HYPERLINK("http://x","Анна")' for it in GOOD]), "l.xlsx", POLICY)

    assert [(it.column, it.found) for it in found.wrong] == [("name", "a formula")]


def test_numbers_of_a_workbook_are_read_as_people_see_them() -> None:
    cells: list[object] = [*GOOD]
    cells[0], cells[3] = 79161234567, 1234.5
    ((_, contact),) = check_list(workbook(HEAD, cells), "l.xlsx", POLICY).contacts

    assert (contact.number, contact.fields["amount"]) == ("+79161234567", "1234.50")


def a_zip(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in parts.items():
            made.writestr(f"{name}.xml", content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "found an empty file"),
        (b"\n\n", "found an empty file"),
        (b"\xd0\xcf\x11\xe0" + b"0" * 99, "old kind"),
        (b"a,b\n\x00\x01\x02,c", "found the character U+0000"),
        (as_csv([row()], "utf-8") + b'"never closed', "is a quote left open?"),
        (b"a,a\n" * 3, "expected the column 'phone'"),
        (b"PK\x03\x04nothing", "one that is broken"),
        (a_zip(x=b"<a/>"), "one that is broken"),
        (a_zip(x=b"<!DOCTYPE a []><a/>"), "a declaration of entities"),
        (a_zip(x="<!DOCTYPE a []><a/>".encode("utf-16")), "a declaration of entities"),
        (a_zip(x=b"0" * (257 << 20)), "found 1 parts of 257 MiB"),
        (b"x" * (MOST_BYTES + 1), "expected at most 64 MiB"),
        (b"a" + b"," * 200 + b"\n", "expected at most 200 columns, found 201"),
    ],
)
def test_what_is_no_list_is_refused_with_the_reason(content: bytes, told: str) -> None:
    with pytest.raises(ListRefused) as refused:
        check_list(content, "l", POLICY)

    assert told in str(refused.value)


def test_a_row_with_more_cells_than_the_head_is_refused() -> None:
    found = checked([*row(), "surplus"])

    assert [it.found for it in found.wrong] == ["12"]


def test_every_row_is_either_taken_or_reported() -> None:
    made = list(rows_of(600))
    found = check_list(as_csv([it for it, _ in made], "utf-8"), "l", POLICY)

    assert found.rows == 600
    assert {number for number, _ in found.contacts} == {at + 2 for at, (_, good) in enumerate(made) if good}
    assert {it.row for it in found.wrong} == {at + 2 for at, (_, good) in enumerate(made) if not good}


def test_rows_are_numbered_as_spreadsheets_do_with_empty_ones_and_line_breaks_in_cells() -> None:
    _, rows = read_list(b'phone\n\n"one\nand two"\nthree\n', "l")

    assert [it.number for it in rows] == [3, 4]
