"""How many spoken secrets are masked, and how much else?

``python -m bench.masking [--testdata ../shared/testdata] [--dialogues 100] [--seed 1] [--json]``

Secrets: generated dialogues (synthetic text), so many for each language, kind and manner, the styles of telling in turn. The
sentences around the digits are either those the tests use ("seen") or others ("unseen"). In *clear* ones the caller tells the
number in one go; in *busy* ones there are fillers, corrections, and the agent's words and read-backs in between; in *misheard*
ones one group in ten is recognised as another word as well. A dialogue is ``whole`` where no word of the number stays readable,
``spoilt`` where a word outside it is masked.

Else: generated sentences with sums, dates, times, counts and branches, also just after a secret was spoken of; and real
transcripts, where a human or a machine wrote what was said: with ``--show`` every mask of these is listed, for reading.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from json import loads
from pathlib import Path
from random import Random

from bench.card import Row, report
from bench.masking_innocent import innocent
from bench.masking_wording import UNSEEN
from engine.core.speech import ENGLISH, Transcript, Word
from engine.core.units import Language, Seconds
from engine.privacy import Kind, Span, Turn, find_spans, mask_text
from engine.privacy.phrases import phrases_of
from engine.privacy.speech import row_of
from engine.testing.spoken_numbers import CLEAR, Manners, Style, Told, dialogue, styles
from engine.testing.spoken_words import TELLINGS

QUESTION = "How many spoken secrets are masked, and how much else?"
LENGTHS: Mapping[Kind, range] = {
    Kind.CARD: range(13, 20),
    Kind.PIN: range(4, 7),
    Kind.SECURITY_CODE: range(3, 5),
    Kind.ONE_TIME_CODE: range(4, 9),
    Kind.ACCOUNT: range(8, 21),
    Kind.PHONE: range(9, 13),
}
BUSY = Manners(filler=0.15, correction=0.08, other_turn=0.25, read_back=0.15)
MANNERS: Mapping[str, Manners] = {"clear": CLEAR, "busy": BUSY, "misheard": replace(BUSY, error=0.1)}
WORDINGS = {"seen": TELLINGS, "unseen": UNSEEN}


@dataclass(frozen=True, slots=True)
class Case:
    """One dialogue and how it was made."""

    wording: str
    manner: str
    language: Language
    kind: Kind
    style: Style
    told: Told

    def left(self) -> int:
        """How many words of the number stay readable."""
        return len(set(self.told.secret) - covered(self.told.turns))

    def spoilt(self) -> bool:
        """Whether a word outside the number is masked."""
        return bool(covered(self.told.turns) & set(self.told.innocent))


def covered(turns: Sequence[Turn]) -> set[tuple[int, int]]:
    """Give the words that are masked: turn, word."""
    return {(span.turn, word) for span in find_spans(turns) for word in range(span.first, span.last + 1)}


def cases(count: int, seed: int) -> Iterator[Case]:
    """Make dialogues of every sort."""
    random = Random(seed)
    for wording, tellings in WORDINGS.items():
        for manner, manners in MANNERS.items():
            for language in tellings:
                for kind, lengths in LENGTHS.items():
                    for place in range(count):
                        style = styles(language)[place % len(styles(language))]
                        digits = "".join(random.choices("0123456789", k=random.choice(lengths)))
                        told = dialogue(digits, kind, language, style, random, replace(manners, tellings=tellings))
                        yield Case(wording, manner, language, kind, style, told)


def secrets(count: int, seed: int) -> list[Row]:
    """Measure recall: by manner and language and style, then by manner and language and kind."""
    judged = [(case, case.left(), case.spoilt()) for case in cases(count, seed)]
    groups: dict[tuple[str, str, str, str], list[tuple[Case, int, bool]]] = {}
    for one in judged:
        case = one[0]
        for what in (case.style, case.kind):
            groups.setdefault((case.wording, case.manner, case.language, what), []).append(one)
    return [_row(*key, members) for key, members in sorted(groups.items(), key=lambda group: group[0])]


def _row(wording: str, manner: str, language: str, what: str, members: Sequence[tuple[Case, int, bool]]) -> Row:
    words = sum(len(case.told.secret) for case, _, _ in members)
    left = sum(left for _, left, _ in members)
    return {
        "sentences": wording,
        "manner": manner,
        "language": language,
        "style or kind": what,
        "dialogues": len(members),
        "dialogues whole": sum(not left for _, left, _ in members) / len(members),
        "number words masked": 1 - left / words,
        "spoilt": sum(spoilt for _, _, spoilt in members) / len(members),
    }


def innocents(count: int, seed: int) -> list[Row]:
    """Count the sentences with other numbers in which something is masked."""
    groups: dict[tuple[str, str, bool], list[bool]] = {}
    for language, sort, after, text in innocent(count, seed):
        groups.setdefault((language, sort, after), []).append(mask_text(text) != text)
    return [
        {
            "language": language,
            "number": sort,
            "after a secret": "yes" if after else "no",
            "sentences": len(hit),
            "masked": sum(hit) / len(hit),
        }
        for (language, sort, after), hit in groups.items()
    ]


def transcripts(testdata: Path) -> Iterator[tuple[str, list[Turn]]]:
    """Give real calls and texts of testdata by the set they are of."""
    for path in sorted((testdata / "harper_valley").glob("*.json")):
        segments = loads(path.read_text(encoding="utf-8"))["segments"]
        for key in ("text", "asr_text"):
            yield f"harper_valley {key}", [turn for segment in segments if (turn := _segment(segment, key))]
    for line in (testdata / "text" / "intents.jsonl").read_text(encoding="utf-8").splitlines():
        yield "intents", [_alone(loads(line)["text"])]
    for line in (testdata / "manifest.jsonl").read_text(encoding="utf-8").splitlines():
        row = loads(line)
        if row["kind"] not in {"digit_string", "spoken_digit", "dtmf"} and row["text"]:
            yield f"texts of {row['kind']}", [_alone(row["text"])]


def _segment(segment: Mapping[str, object], key: str) -> Turn | None:
    words = str(segment[key] or "").split()
    start, end = float(str(segment["start_ms"])) / 1000, float(str(segment["end_ms"])) / 1000
    step = (end - start) / max(len(words), 1)
    timed = (Word(word, Seconds(start + place * step), Seconds(start + (place + 1) * step)) for place, word in enumerate(words))
    return Turn(str(segment["role"]), Transcript(tuple(timed), ENGLISH)) if words else None


def _alone(text: str) -> Turn:
    words = (Word(word, Seconds(place * 0.4), Seconds(place * 0.4 + 0.4)) for place, word in enumerate(text.split()))
    return Turn("", Transcript(tuple(words)))


def others(testdata: Path, *, show: bool) -> list[Row]:
    """Count masks and numbers in real transcripts."""
    counts: dict[str, list[int]] = {}
    for name, turns in transcripts(testdata):
        spans = find_spans(turns)
        row = row_of(turns)
        numbers = sum(phrase.digits > 1 or not phrase.weak for phrase in phrases_of(row))
        one = [1, len(row.tokens), numbers, len(spans)]
        counts[name] = [before + now for before, now in zip(counts.get(name, [0] * 4), one, strict=True)]
        for span in spans if show else ():
            print(f"{name}: {span.kind}: {_context(turns, span)}")
    names = ("texts", "words", "numbers", "masks")
    rows: list[Row] = [{"transcripts": name, **dict(zip(names, values, strict=True))} for name, values in counts.items()]
    return [{**row, "masks per 1000 words": 1000 * int(str(row["masks"])) / max(int(str(row["words"])), 1)} for row in rows]


def _context(turns: Sequence[Turn], span: Span) -> str:
    words = [word.text for word in turns[span.turn].said.words]
    before, after = words[max(span.first - 6, 0) : span.first], words[span.last + 1 : span.last + 4]
    return " ".join(chain(before, ["["], words[span.first : span.last + 1], ["]"], after))


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=QUESTION)
    parser.add_argument("--testdata", type=Path, help="folder of real transcripts")
    parser.add_argument("--dialogues", type=int, default=100, help="for each wording, manner, language and kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", action="store_true", help="list the masks in real transcripts")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    rows = secrets(options.dialogues, options.seed)
    report(QUESTION, rows, json=options.json, notes=["dialogues are synthetic text; 'whole' = no number word stays readable"])
    rows = innocents(options.dialogues, options.seed)
    if options.testdata:
        rows += others(options.testdata, show=options.show)
    report("And how much else?", rows, json=options.json, notes=["sentences are synthetic text, transcripts real ones"])


if __name__ == "__main__":
    main()
