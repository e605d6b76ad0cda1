"""What does a bad list of 100,000 rows cost, and what is said of it?

``callwright bench lists [--rows 100000] [--database ADDRESS] [--json]``

A list is made with all the dirt that lists have: broken numbers, doubles, formulas, ambiguous sums and days, missing values,
wrong languages and zones. It is imported as CSV in every encoding and as a workbook, each into a new campaign of a new database,
by a process of its own. ``seconds`` is from reading the file to the commit, ``cpu`` what it took of one core; ``agrees`` says
whether as many rows are taken and refused as were made so.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import xlsxwriter

from bench.card import Row, progress, report
from engine.outbound.campaign_file import parse_campaign
from engine.runtime.outbound.importing import import_list
from engine.store.campaigns import Campaigns
from engine.store.database import connect, upgrade

QUESTION = "What does a bad list of 100,000 rows cost, and what is said of it?"
HEAD = ("phone", "customer", "name", "amount", "due", "card", "language", "zone", "consent", "consent_at", "note")
CAMPAIGN = """
campaign: lists
purpose: notice
flow: overdue.yaml
languages: [ru, en, zh]
country: RU
zone: Europe/Moscow
windows: {mon-fri: 9:00-20:00}
holidays: {RU: [2026-11-04], CN: [2026-10-01], DE: [2026-10-03]}
caps: {calls: {day: 1}}
consent: [contract]
fields: {name: text, amount: amount, due: date, card: {kind: digits_last4, required: no}}
"""
RUSSIAN = ("Анна Иванова", "Пётр Смирнов", "Ольга")
CHINESE = ("王秀英", "张伟的账户", "李娜")
DIRT = {  # by what is put over a good row's cells
    "letters in the number": {"phone": "call me maybe"},
    "too short": {"phone": "8 916 123"},
    "not given out": {"phone": "+7 000 123-45-67"},
    "premium rate": {"phone": "+7 809 123-45-67"},
    "no number": {"phone": ""},
    "a country without holidays": {"phone": "+33 6 12 34 56 78"},
    "a formula": {"name": "=cmd|' /C calc'!A0"},
    "another formula": {"amount": "+1+cmd|' /C calc'!A0"},
    "an ambiguous sum": {"amount": "1,234"},
    "no sum": {"amount": "soon"},
    "an ambiguous day": {"due": "03/04/2026"},
    "a day that is none": {"due": "31.02.2026"},
    "no day": {"due": ""},
    "a whole card number": {"card": "4276 1600 1234 5678"},
    "an unknown zone": {"zone": "Mars/Olympus"},
    "a language nobody speaks": {"language": "tlh"},
    "a day for consent that is none": {"consent_at": "when?"},
}


def rows_of(number: int, seed: int = 1, *, names: Sequence[str] = RUSSIAN) -> Iterator[tuple[list[str], bool]]:
    """So many rows, each with whether it is good; a tenth is dirty, a fiftieth is there twice."""
    chance = random.Random(seed)
    kinds, last = list(DIRT.values()), None
    for n in range(number):
        if last is not None and chance.random() < 0.02:
            yield last, False
            continue
        cells = _good(n, chance, names)
        bad = chance.random() < 0.1
        if bad:
            cells |= chance.choice(kinds)
        row = [cells[it] for it in HEAD]
        last = last if bad else row
        yield row, not bad


def _good(n: int, chance: random.Random, names: Sequence[str]) -> dict[str, str]:
    mobile = f"{916 + n // 10_000_000}{n % 10_000_000:07d}"
    written = chance.choice(("+7{}", "8{}", "7{}", "+7 ({}"))
    phone = written.format(mobile if "(" not in written else f"{mobile[:3]}) {mobile[3:6]}-{mobile[6:8]}-{mobile[8:]}")
    return {
        "phone": phone,
        "customer": f"C{n:07d}",
        "name": chance.choice(names),
        "amount": chance.choice(("1234.50", "1 234,50", "12345", "99,9 руб.", "1,234,567.00")),
        "due": chance.choice(("2026-12-01", "01.12.2026", "2026/12/1")),
        "card": chance.choice(("1234", "**** 1234", "")),
        "language": chance.choice(("ru", "RU", "ru-RU", "")),
        "zone": chance.choice(("Europe/Moscow", "")),
        "consent": "contract",
        "consent_at": chance.choice(("2024-03-01", "01.03.2024", "2024-03-01 12:00:00")),
        "note": "x" * chance.randrange(20),
    }


def as_csv(rows: Sequence[Sequence[str]], encoding: str) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=";").writerows([HEAD, *rows])
    return out.getvalue().encode(encoding)


def as_workbook(rows: Sequence[Sequence[str]], path: Path) -> None:
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True, "strings_to_formulas": False})
    sheet = book.add_worksheet()
    for at, row in enumerate([HEAD, *rows]):
        sheet.write_row(at, 0, row)
    book.close()


def one(path: Path, database: str, folder: Path) -> dict[str, object]:
    """Import one list, in this process."""
    engine = connect(database)
    upgrade(engine)
    kept = Campaigns(engine).put(parse_campaign(CAMPAIGN, "lists.yaml"), CAMPAIGN, str(folder), datetime.now(UTC))
    begun, cpu = time.perf_counter(), time.process_time()
    found = import_list(engine, kept, path, folder / "report.csv")
    return {
        "seconds": round(time.perf_counter() - begun, 2),
        "cpu": round(time.process_time() - cpu, 2),
        "taken": found.taken,
        "refused": found.checked.refused,
        "remarks": len(found.checked.wrong),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def measure(number: int, database: str | None) -> Iterator[Row]:
    """Import a list of each kind."""
    for kind in ("utf-8-sig", "utf-16", "cp1251", "gb18030", "xlsx"):
        made = list(rows_of(number, names=CHINESE if kind == "gb18030" else RUSSIAN))
        good = sum(it for _, it in made)
        with tempfile.TemporaryDirectory() as folder:
            path = written([row for row, _ in made], kind, Path(folder))
            progress(f"{kind}: {path.stat().st_size >> 20} MiB")
            place = database or f"sqlite:///{folder}/lists.db"
            command = [sys.executable, "-m", "bench.lists", "--one", str(path), "--database", place]
            found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        agrees = found["taken"] == good and found["refused"] == number - good
        yield {"list": kind, "rows": number} | found | {"agrees": agrees}


def written(rows: Sequence[Sequence[str]], kind: str, folder: Path) -> Path:
    """Write a list down as such a file."""
    if kind == "xlsx":
        as_workbook(rows, folder / "list.xlsx")
        return folder / "list.xlsx"
    chinese = [[it.replace("руб.", "元") for it in row] for row in rows] if kind == "gb18030" else rows
    (folder / "list.csv").write_bytes(as_csv(chinese, kind))
    return folder / "list.csv"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=QUESTION)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--database", help="an empty one; by default a new SQLite file each")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    if options.one:
        print(json.dumps(one(options.one, options.database, options.one.parent)))
        return
    report(QUESTION, list(measure(options.rows, options.database)), json=options.json)


if __name__ == "__main__":
    main()
