"""Deletes calls whose time is over, and those of a person who is erased: files, rows, words of the search, together.

Rules:

* what is held, goes on, or is being heard by quality control is left alone, and told of;
* a run that was killed is finished by the next one, whatever that one is for (:mod:`engine.store.reducing`);
* nothing in an inbox is deleted: those files are the bank's. What is erased is not heard again, though it still lies there.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import uuid4

from sqlalchemy import Engine

from engine.access.deeds import Deed
from engine.config import Config
from engine.privacy.person import Person
from engine.privacy.retention import KeepingRules, Step
from engine.runtime.batch.receiving import RECEIVED
from engine.store.audit import Told, Trail, read_key
from engine.store.belongings import Belongings, Kept, Parts
from engine.store.destroying import destroy
from engine.store.holds import HeldBy, Hold, Holds
from engine.store.human_calls import unmasked
from engine.store.keys import sync_folder
from engine.store.persons import LEAST, ContactKept, Left, Persons
from engine.store.reducing import Due, Reducing
from engine.store.scrubbing import scrub

_BY: Final = "machine:keeping"


@dataclass(frozen=True, slots=True)
class Folders:
    """Where calls' files lie."""

    recordings: Path | None
    quality: Path
    phrases: Path | None

    @classmethod
    def of(cls, config: Config) -> Folders:
        """Where the configuration says."""
        return cls(config.store.recordings, config.qa.folder, config.assist.phrases if config.assist else None)

    def files(self, due: Due) -> Iterator[Path]:
        """The files that go with a step and those before it; of persons also phrases that a crash has left without a row."""
        patterns = [(pattern, folder) for pattern, folder in self._patterns(due.parts, due.step) if folder]
        found = [path for pattern, folder in patterns for path in sorted(folder.glob(pattern))]
        yield from dict.fromkeys([*found, *(self._phrases_of(due.parts.call) if due.places and due.parts.call else ())])

    def _phrases_of(self, call: str) -> Iterator[Path]:
        """One call's alone: a peer may name another so that it begins with this one's name."""
        if self.phrases:
            yield from (path for path in sorted(self.phrases.glob(f"{call}-*.wav")) if path.stem.rpartition("-")[0] == call)

    def _patterns(self, parts: Parts, step: Step) -> Iterator[tuple[str, Path | None]]:
        if parts.call is not None:
            yield f"{parts.call}.wav", self.recordings
            yield f"{parts.call}.wav.part", self.recordings
        for name in parts.files[:1]:
            yield from ((it, self.recordings) for it in (name, f"{name}.part", unmasked(Path(name)).name))
            yield f"{unmasked(Path(name)).name}.part", self.recordings
        yield from ((it, self.phrases) for it in parts.phrases)
        yield from ((it, self.quality) for it in parts.sounds)
        for content in parts.contents:
            yield f"sound/{content[:2]}/{content}.*", self.quality
            yield f"{RECEIVED}/{content}", self.quality
        if step is not Step.SOUND:
            yield from ((name, self.recordings) for name in parts.files[1:])
            yield from ((it, self.quality) for it in parts.transcripts)
            yield from ((f"transcripts/{it[:2]}/{it}.*", self.quality) for it in parts.contents)


@dataclass(slots=True)
class Done:
    """What came of a run, or would."""

    gone: Counter[tuple[str, Step]] = field(default_factory=Counter)
    """Calls, by their class and what goes."""

    files: int = 0
    contacts: int = 0
    held: Counter[int] = field(default_factory=Counter)
    """Calls and contacts that are held, by the hold."""

    in_hand: int = 0
    """Calls that go on, are being heard, or were begun with by another process; contacts that are being dialled."""

    finished: int = 0
    """Calls that a killed run had begun with."""

    left: Sequence[str] = ()
    """What could not be done."""


@dataclass(frozen=True, slots=True)
class _Round:
    """One run of it."""

    holds: Sequence[Hold]
    now: datetime
    dry: bool = False
    done: Done = field(default_factory=Done)


@dataclass(frozen=True, slots=True)
class Erased:
    """What came of erasing a person."""

    number: str
    """Of the erasure, as the audit chain has it."""

    done: Done
    besides: Left
    names: tuple[str, ...]
    """Of the calls that went: their ids and contents."""

    not_ours: tuple[str, ...]
    """Where recordings of theirs still lie that are not ours to delete."""


class Keeping:
    """All of one engine's. For one thread."""

    def __init__(self, config: Config, trail: Trail) -> None:
        """``trail``: of a database at the present schema."""
        self._folders, self.trail = Folders.of(config), trail
        self._rules = config.keeping.rules if config.keeping else None
        self._calls, self._persons = Belongings(trail.database), Persons(trail.database)
        self._reducing, self.holds = Reducing(trail), Holds(trail)

    @classmethod
    def of(cls, config: Config, database: Engine) -> Keeping:
        """With the audit chain that the configuration names."""
        return cls(config, Trail(database, read_key(config.access.audit_key_file)))

    def call(self, name: str) -> Kept | None:
        """One call that is kept."""
        return self._calls.of(name)

    def due(self, now: datetime) -> Iterator[tuple[Kept, Due]]:
        """What is to go by now, whether it is held or not."""
        rules = self._rules
        if rules is None:
            return
        for call in self._calls.calls(now - rules.shortest):
            if (due := _due(rules, call, now)) is not None:
                yield call, due

    def run(self, now: datetime, *, dry: bool = False, who: str = _BY) -> Done:
        """Delete what is due; ``dry``: only say what is."""
        it = _Round(self.holds.all(), now, dry)
        if not dry:
            self._finish_begun(it)
        for call, due in self.due(now):
            self._take(it, call, due, due.why.partition(":")[0])
        self._run_contacts(it)
        if not dry:
            done = it.done
            if done.files or done.gone or done.contacts or done.finished:
                done.left = scrub(self.trail.database, whole=False)
            told = {"calls": done.gone.total(), "contacts": done.contacts, "held": done.held.total(), "in_hand": done.in_hand}
            self.trail.keep(Told(who, Deed.KEEPING_RAN, "retention", details=told))
        return it.done

    def of_person(self, people: Collection[Person]) -> tuple[Sequence[Kept], Sequence[ContactKept]]:
        """Their calls and their contacts."""
        contacts = self._persons.contacts(people)
        calls = [it for it in self._calls.calls() if any(one.is_named_in(text) for one in people for text in it.people)]
        return calls, contacts

    def erase(self, people: Collection[Person], who: str, why: str, now: datetime) -> Erased:
        """Erase persons: all that is named by them and not held."""
        number, it = uuid4().hex[:12], _Round(self.holds.all(), now)
        done = it.done
        self._finish_begun(it)
        calls, contacts = self.of_person(people)
        went = [
            call
            for call in calls
            if self._take(it, call, Due(call.name, Step.SCORES, call.parts, f"erasure {number}", who, places=True), "erasure")
        ]
        done.in_hand += sum(one.in_hand for one in contacts)
        done.contacts = self._persons.drop([one for one in contacts if not one.in_hand and not _held(one, it)])
        besides = self._persons.forget([] if done.held or done.in_hand else people)
        sums = {"calls": len(went), "contacts": done.contacts, "held": done.held.total(), "in_hand": done.in_hand}
        self.trail.keep(Told(who, Deed.ERASED, f"erasure {number}", details={"why": why, **sums}))
        done.left = scrub(self.trail.database, whole=True)
        names = [name for call in went for name in (call.name, *call.parts.contents)]
        return Erased(number, done, besides, tuple(dict.fromkeys(names)), self._not_ours(calls))

    def _take(self, it: _Round, call: Kept, due: Due, name: str) -> bool:
        """Let one call go; whether it went, or would."""
        held = next((one for one in it.holds if one.holds(call)), None)
        if held is not None:
            it.done.held[held.id] += 1
        elif call.in_hand or (not it.dry and not self._reducing.begin(call, due, it.now)):
            it.done.in_hand += 1
        else:
            it.done.gone[name, due.step] += 1
            it.done.files += sum(1 for _ in self._folders.files(due)) if it.dry else self._finish(due, it.now)
            return True
        return False

    def _finish_begun(self, it: _Round) -> None:
        for due in self._reducing.begun():
            it.done.files += self._finish(due, it.now)
            it.done.finished += 1

    def _finish(self, due: Due, now: datetime) -> int:
        """Destroy the files, then take away the rows; how many files went."""
        files = list(self._folders.files(due))
        for path in files:
            destroy(path)
        for folder in {it.parent for it in files}:
            sync_folder(folder)
        self._reducing.finish(due, len(files), now)
        return len(files)

    def _run_contacts(self, it: _Round) -> None:
        rules = self._rules
        if rules is None:
            return
        old = self._persons.done_before(it.now - max(LEAST, min(one.kept[Step.SCORES] for one in rules.classes)))
        over = [one for one in old if _is_over(rules, one, it.now) and not _held(one, it)]
        it.done.contacts = len(over) if it.dry else self._persons.drop(over)

    def _not_ours(self, calls: Sequence[Kept]) -> tuple[str, ...]:
        """Files of the bank's own that are still there."""
        mine = [it.resolve() for it in (self._folders.recordings, self._folders.quality) if it]
        seen = {it for call in calls if call.parts.call is None for it in call.people if os.sep in it}
        there = (it for it in sorted(seen) if "://" in it or Path(it).is_file())
        return tuple(it for it in there if not any(Path(it).resolve().is_relative_to(folder) for folder in mine))


def _due(rules: KeepingRules, call: Kept, now: datetime) -> Due | None:
    found = rules.class_of(call.facts)
    step = found.due(call.began, now)
    if step is None or (call.reached is not None and list(Step).index(call.reached) >= list(Step).index(step)):
        return None
    return Due(call.name, step, call.parts, f"{found.name}: {step} kept for {found.kept[step].days} days", _BY)


def _is_over(rules: KeepingRules, contact: ContactKept, now: datetime) -> bool:
    facts = {"campaign": contact.campaign, "direction": "outbound", "source": "call"}
    kept = max(LEAST, rules.class_of(facts).kept[Step.SCORES])
    return contact.done_at is not None and now - contact.done_at.replace(tzinfo=contact.done_at.tzinfo or UTC) >= kept


def _held(contact: ContactKept, it: _Round) -> bool:
    names = {contact.person, contact.number, contact.campaign}
    held = next((one for one in it.holds if one.kind is not HeldBy.CALL and one.subject in names), None)
    if held is not None:
        it.done.held[held.id] += 1
    return held is not None
