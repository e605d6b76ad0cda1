"""How a card writes its ``tests:``: calls with the verdicts that must come of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from engine.core.units import Language
from engine.qa.card import CardTest, Question
from engine.qa.checks import Verdict
from engine.qa.dialogues import Dialogue
from engine.qa.reading import Reading, shown
from engine.written.problems import did_you_mean
from engine.written.yaml_tree import Path, Value

TEST_KEYS = ("name", "language", "source", "facts", "call", "transcript", "expect")


class Source(StrEnum):
    """Whose words a dialogue's are."""

    HUMAN = "human"
    MACHINE = "machine"


@dataclass(frozen=True)
class CardTestReader:
    """Reads them."""

    reading: Reading

    languages: Sequence[Language]

    questions: Sequence[Question]

    def read(self, value: Value) -> Iterator[CardTest]:
        """Every test, as far as it can be read."""
        for n, it in enumerate(self.reading.items(value, ("tests",), "tests")):
            path: Path = ("tests", n)
            keys = self.reading.mapping(it, path, TEST_KEYS, ("name", "expect"))
            name = self.reading.text(keys["name"], (*path, "name")) if "name" in keys else ""
            expect = self._expected(keys["expect"], (*path, "expect")) if "expect" in keys else {}
            yield CardTest(name, self._call(keys, path), expect, self.reading.tree.place(path)[0])

    def _call(self, keys: Mapping[str, Value], path: Path) -> Mapping[str, object] | str:
        if "transcript" in keys and "call" not in keys:
            for key in ("language", "source", "facts"):
                if key in keys:
                    self.reading.wrong((*path, key), "nothing beside a transcript that tells it itself", repr(key))
            return self.reading.text(keys["transcript"], (*path, "transcript"))
        if "call" not in keys or "transcript" in keys:
            self.reading.wrong(path, "either a call or a transcript", "both" if "call" in keys else "neither")
            return {}
        dialogue = Dialogue(self.reading)
        dialogue.read(keys["call"], (*path, "call"))
        source = self.reading.choice(keys["source"], (*path, "source"), Source) if "source" in keys else Source.HUMAN
        return dialogue.transcript(self._language(keys, path), self._facts(keys, path), machine=source is Source.MACHINE)

    def _language(self, keys: Mapping[str, Value], path: Path) -> Language:
        if "language" not in keys:
            return self.languages[0]
        return Language(self.reading.text(keys["language"], (*path, "language")))

    def _facts(self, keys: Mapping[str, Value], path: Path) -> Mapping[str, str]:
        if "facts" not in keys:
            return {}
        facts = keys["facts"]
        if not isinstance(facts, dict):
            self.reading.wrong((*path, "facts"), "names of facts and their values", shown(facts))
            return {}
        return {name: self.reading.text(it, (*path, "facts", name)) for name, it in facts.items()}

    def _expected(self, value: Value, path: Path) -> Mapping[str, Verdict]:
        if not isinstance(value, dict) or not value:
            self.reading.wrong(path, "verdicts by question, such as greets: pass", shown(value))
            return {}
        self._known_to(value, [it.id for it in self.questions], path)
        return {name: self.reading.choice(it, (*path, name), Verdict) for name, it in value.items()}

    def _known_to(self, names: Iterable[str], questions: Sequence[str], path: Path) -> None:
        for name in names:
            if name not in questions:
                self.reading.wrong((*path, name), "a question of the card", repr(name), did_you_mean(name, questions))
