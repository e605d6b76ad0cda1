"""``callwright campaign``: a campaign manager's way, from a file and a list to what came of it."""

from __future__ import annotations

import csv
import getpass
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from engine.cli.main import app
from engine.core.errors import EngineError
from engine.outbound.campaign import CampaignRefused
from engine.outbound.contacts import AttemptId, ContactState
from engine.store.attempts import Attempts
from engine.store.audit import Trail
from engine.store.campaign_account import account
from engine.store.campaigns import Campaigns
from engine.store.contacts import CampaignId
from engine.store.database import connect
from engine.store.outbound_models import ContactRow
from engine.store.rulebook import CampaignRules
from tests.databases import store_in

CAMPAIGN = """
campaign: deposits
purpose: offer
flow: flow.yaml
languages: [en, ru]
country: RU
zone: Europe/Moscow
windows: {mon-sun: 0:00-24:00}
holidays: none
caps: {calls: {day: 2}}
consent: [opt_in]
fields: {name: text, rate: number}
"""
FLOW = """
flow: deposits
languages: [en, ru]
start: greeting
operator: people
fields: {name: name, rate: {kind: number}}
nodes:
  greeting:
    type: menu
    prompt: {en: "Good day {name}, {rate} per cent?", ru: "Здравствуйте, {name}, {rate} процентов?"}
    keys_prompt: {en: "For yes, press 1. For no, press 2.", ru: "Да: нажмите 1. Нет: нажмите 2."}
    choices:
      1: {to: taken, intent: "yes"}
      2: {to: bye, intent: "no"}
      0: people
  taken: {type: end, outcome: accepted, prompt: {en: "Thank you.", ru: "Спасибо."}}
  bye: {type: end, outcome: declined, prompt: {en: "Good-bye.", ru: "До свидания."}}
  people: {type: transfer, title: {en: a colleague, ru: сотрудник}, destination: operators, prompt: {en: "One moment.", ru: "Минуту."}}
"""
LIST = """phone,customer,name,rate,language,consent,consent_at
+79161234501,C1,Anna Smith,4.5,en,opt_in,2024-01-01
8 916 123-45-02,C2,Иван Петров,"4,5",ru,opt_in,2024-01-01
8 916 123-45-03,C3,=cmd|'/C calc'!A0,4.5,ru,opt_in,2024-01-01
8 916 123-45-04,C4,Пётр,4.5,ru,hope,2024-01-01
"""


class Desk:
    """A folder with a campaign in it, and the verbs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name, text in {"campaign.yaml": CAMPAIGN, "flow.yaml": FLOW, "list.csv": LIST}.items():
            (folder / name).write_text(text, encoding="utf-8")
        (folder / "engine.toml").write_text('[qa]\nfolder = "qa"\n[store]\ndatabase = "' + store_in(folder) + '"\n')

    def run(self, *words: str, code: int = 0) -> str:
        config = [] if words[0] == "check" else ["--config", str(self.folder / "engine.toml")]
        done = CliRunner().invoke(app, ["campaign", *words, *config])
        if isinstance(done.exception, EngineError):
            raise done.exception
        assert done.exit_code == code, done.output
        return done.stdout

    def json(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--json"))

    def path(self, name: str) -> str:
        return str(self.folder / name)

    def imported(self) -> None:
        self.run("import", self.path("campaign.yaml"), self.path("list.csv"))

    @property
    def database(self) -> Engine:
        return connect(store_in(self.folder))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def rows_of(path: Path) -> Sequence[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_a_campaign_that_its_flow_can_say_is_fine(desk: Desk) -> None:
    assert "fine (offer, en, ru; revision" in desk.run("check", desk.path("campaign.yaml"))


def test_what_the_flow_says_and_the_campaign_lacks_is_told_with_its_line(desk: Desk) -> None:
    text = CAMPAIGN.replace("{name: text, rate: number}", "{name: date}").replace("[en, ru]", "[en, zh]")
    (desk.folder / "bad.yaml").write_text(text, encoding="utf-8")
    told = desk.run("check", desk.path("bad.yaml"), code=1)

    assert "bad.yaml:5:1: languages: expected languages of the flow (en, ru), found 'zh'" in told
    assert "bad.yaml:12:1: fields: expected 'rate', which the flow says, found none" in told
    assert "fields.name: expected a kind that the flow can word as 'name', found 'date'" in told


def test_a_misspelt_list_is_told_where_the_database_can_be_asked(desk: Desk) -> None:
    desk.run("block", "--list", "national", "--empty")
    (desk.folder / "bad.yaml").write_text(CAMPAIGN + "do_not_call: [national, natoinal]\n", encoding="utf-8")
    told = desk.run("check", desk.path("bad.yaml"), "--config", desk.path("engine.toml"), code=1)

    lists = "lists that are there (bad_calls, complaints, national, opt_outs)"
    assert told.strip().endswith(f"bad.yaml:13:1: do_not_call: expected {lists}, found 'natoinal'")
    assert "fine" in desk.run("check", desk.path("bad.yaml"))


def test_a_list_is_imported_and_its_refused_rows_are_reported_beside_it(desk: Desk) -> None:
    found = desk.json("import", desk.path("campaign.yaml"), desk.path("list.csv"))

    assert (found["rows"], found["good"], found["taken"], found["refused"]) == (4, 3, 3, 1)
    assert rows_of(desk.folder / "list.refused.csv") == [
        {"row": "4", "column": "name", "expected": "a value", "found": "a formula"}
    ]


def test_importing_it_again_takes_nobody_twice(desk: Desk) -> None:
    desk.imported()

    assert desk.json("import", desk.path("campaign.yaml"), desk.path("list.csv"))["taken"] == 0
    assert desk.json("status")["contacts"] == 3


def test_a_dry_run_reports_and_imports_nothing(desk: Desk) -> None:
    found = desk.json("import", desk.path("campaign.yaml"), desk.path("list.csv"), "--dry-run")

    assert (found["good"], found["taken"]) == (3, 0)
    assert not (desk.folder / "c.db").exists()


def test_where_too_many_rows_are_refused_nothing_is_imported(desk: Desk) -> None:
    with pytest.raises(EngineError, match="expected at most 10% of the rows to be refused, found 1 of 4"):
        desk.run("import", desk.path("campaign.yaml"), desk.path("list.csv"), "--most-refused", "0.1")

    assert desk.json("status", "deposits")["contacts"] == 0


def test_the_preview_says_who_is_skipped_and_why_how_long_it_takes_and_what_is_said(desk: Desk) -> None:
    desk.imported()
    desk.run("block", "C2", "--reason", "a letter")
    report = desk.folder / "skipped.csv"
    found = desk.json("preview", "deposits", "--report", str(report))

    assert (found["waiting"], found["called"]) == (3, 1)
    assert {why: it["rows"] for why, it in found["skipped"].items()} == {
        "asked not to be called again, since …": [3],
        "may be called on the basis 'hope', which will not do for this campaign": [5],
    }
    assert [it["row"] for it in rows_of(report)] == ["3", "5"]
    assert found["first_words"] == {"en": ["Good day Anna Smith, four point five per cent?", "Thank you."]}
    assert found["ends"] is not None
    assert found["pace"]["measured_on"] == 0
    assert "assumed, as too little was measured" in desk.run("preview", "deposits")


def test_start_pause_resume_stop_and_the_account_agrees_all_the_way(desk: Desk) -> None:
    desk.imported()
    states = [desk.json(order, "deposits")["state"] for order in ("start", "pause", "resume", "stop")]
    found = desk.json("status")

    assert states == ["running", "paused", "running", "stopped"]
    assert found["agrees"]
    assert (found["states"]["done"], found["outcomes"]) == (3, {"stopped": 3})
    with pytest.raises(CampaignRefused, match="expected a campaign to resume, found one that is stopped"):
        desk.run("resume", "deposits")


def test_a_campaign_is_not_started_whose_flow_can_not_say_it(desk: Desk) -> None:
    desk.imported()
    (desk.folder / "flow.yaml").write_text(
        FLOW.replace("rate: {kind", "months: {kind").replace("{rate}", "{months}"), encoding="utf-8"
    )

    with pytest.raises(CampaignRefused, match="expected 'months', which the flow says, found none"):
        desk.run("start", "deposits")
    assert desk.json("status")["state"] == "draft"


def test_status_tells_what_does_not_agree(desk: Desk) -> None:
    desk.imported()
    with Session(desk.database) as session, session.begin():
        row = session.query(ContactRow).first()
        assert row is not None
        row.state = ContactState.DONE
    told = desk.run("status", "deposits", code=1)

    assert "DOES NOT AGREE: 1 contacts done without an outcome" in told
    kept = Campaigns(desk.database).named("deposits")
    assert account(desk.database, CampaignId(kept.id)).disagreements == ["1 contacts done without an outcome"]


@pytest.mark.parametrize("format", ["csv", "xlsx", "json"])
def test_an_export_has_every_contact_and_calculates_nothing(desk: Desk, format: str) -> None:
    desk.imported()
    out = desk.folder / ("out" if format == "csv" else f"out.{format}")

    assert "3 contacts, 0 attempts" in desk.run("export", "deposits", "--format", format, "--out", str(out))
    if format == "csv":
        assert [it["customer"] for it in rows_of(out / "contacts.csv")] == ["C1", "C2", "C4"]
        assert {it["phone"][:2] for it in rows_of(out / "contacts.csv")} == {"'+"}
        assert {it["field_rate"] for it in rows_of(out / "contacts.csv")} == {"4.5"}
    if format == "json":
        assert [it["fields"]["rate"] for it in json.loads(out.read_text(encoding="utf-8"))] == ["4.5"] * 3


def test_people_are_blocked_and_unblocked_by_number_person_and_file(desk: Desk) -> None:
    (desk.folder / "dnc.csv").write_text("phone\n8 916 123-45-09\n+7 916 123 45 08\n", encoding="utf-8")
    assert desk.json("block", "--list", "national", "--file", desk.path("dnc.csv"), "--country", "RU") == {
        "list": "national",
        "found": 2,
        "new": 2,
    }
    assert desk.json("block", "+7 916 123 45 08", "C7", "--list", "national")["new"] == 1

    assert desk.json("unblock", "+79161234508", "C7", "--list", "national") == {"list": "national", "removed": 2}
    desk.run("unblock", "+79161234508", "--list", "national", code=1)


@pytest.mark.parametrize(
    "written", ["8 (916) 123-45-09", "(916) 123-45-09", "8.916.123.45.09", "8 916 123–45–09", "+7 (916) 123-45-09"]
)
def test_a_number_is_blocked_however_it_is_written(desk: Desk, written: str) -> None:
    desk.run("block", written, "--country", "RU")

    assert desk.json("unblock", "+79161234509")["removed"] == 1


def test_digits_that_may_be_a_number_or_a_person_are_blocked_as_both(desk: Desk) -> None:
    desk.run("block", "79161234509")

    assert desk.json("unblock", "+79161234509")["removed"] == 1
    assert desk.json("block", "79161234509")["new"] == 1  # the number alone: as a person it is there


def test_a_column_of_numbers_holds_nothing_else(desk: Desk) -> None:
    (desk.folder / "dnc.csv").write_text("phone\n8 916 123-45-09\n", encoding="utf-8")

    with pytest.raises(EngineError, match=r"dnc.csv: row 2: expected a telephone number, found no country's code"):
        desk.run("block", "--file", desk.path("dnc.csv"))


def test_the_first_of_a_file_without_a_head_is_blocked_too(desk: Desk) -> None:
    (desk.folder / "dnc.txt").write_text("+79161234508\n+79161234509\n", encoding="utf-8")

    assert desk.json("block", "--file", desk.path("dnc.txt"))["new"] == 2


def test_a_file_with_a_row_that_is_no_number_blocks_nobody(desk: Desk) -> None:
    (desk.folder / "dnc.csv").write_text("phone\n+79161234509\n+7 1\n", encoding="utf-8")
    with pytest.raises(EngineError, match=r"dnc.csv: row 3: expected a telephone number, found"):
        desk.run("block", "--file", desk.path("dnc.csv"))

    desk.run("unblock", "+79161234509", code=1)


def test_nobody_is_uncertain_where_nothing_was_dialled(desk: Desk) -> None:
    desk.imported()

    assert desk.run("uncertain", "deposits") == ""
    desk.run("uncertain", "--settle", "nothing", code=2)


def kept_of(desk: Desk) -> list[tuple[str, dict[str, Any]]]:
    """What the audit chain has: whose deed is the shell's."""
    rows = [entry for entry, _ in Trail(desk.database).rows()]
    assert {it.who for it in rows} == {f"shell:{getpass.getuser()}"}
    return [(it.subject, {key: value for key, value in json.loads(it.details).items() if value}) for it in rows]


def test_the_audit_chain_tells_who_imported_what_and_blocked_whom(desk: Desk) -> None:
    desk.imported()
    (desk.folder / "dnc.csv").write_text("phone\n+79161234508\n+79161234509\n", encoding="utf-8")
    desk.run("block", "--list", "national", "--file", desk.path("dnc.csv"))
    desk.run("block", "+79161234508", "--reason", "wrote to us", "--campaign", "deposits")
    desk.run("unblock", "+79161234508", "--campaign", "deposits")
    revision = Campaigns(desk.database).named("deposits").policy.revision

    assert kept_of(desk) == [
        ("campaign deposits", {"imported": 3, "rows": 4, "refused": 1, "list": "list.csv", "file": revision}),
        ("list national", {"blocked": 2, "found": 2, "file": "dnc.csv", "whom": ["…508", "…509"]}),
        ("list opt_outs", {"blocked": 1, "found": 1, "campaign": "deposits", "reason": "wrote to us", "whom": ["…508"]}),
        ("list opt_outs", {"unblocked": 1, "campaign": "deposits", "whom": ["…508"]}),
    ]


def test_who_settles_an_uncertain_attempt_is_kept_with_what_they_found(desk: Desk) -> None:
    desk.imported()
    desk.run("start", "deposits")
    dialler, now = Attempts(desk.database, CampaignRules(), owner="d", carrier="sip"), datetime.now(UTC)
    dialler.renew(now)
    (contact, *_) = dialler.due(Campaigns(desk.database).named("deposits").id, now, 1)
    assert dialler.commit(contact, AttemptId("a1"), now) is not None
    dialler.mark(AttemptId("a1"), now)
    dialler.give_up(AttemptId("a1"), "the carrier can't tell")
    desk.run("uncertain", "--settle", "a1", "--note", "the carrier's list has it not")

    assert kept_of(desk)[-1] == ("campaign deposits", {"settled": "a1", "note": "the carrier's list has it not"})
    with Session(desk.database) as session:
        assert session.get_one(ContactRow, contact).reason == f"shell:{getpass.getuser()}: the carrier's list has it not"


def test_an_unknown_campaign_is_told_with_those_that_there_are(desk: Desk) -> None:
    desk.imported()

    with pytest.raises(CampaignRefused, match=r"expected a campaign's name \(deposits\), found 'deposit'"):
        desk.run("status", "deposit")


def test_the_moment_of_a_state_is_kept(desk: Desk) -> None:
    desk.imported()
    desk.run("start", "deposits")
    kept = Campaigns(desk.database).named("deposits")

    assert kept.started_at is not None
    assert abs((datetime.now(UTC) - kept.started_at).total_seconds()) < 60
