"""How many spoken secrets are masked, and how much else?

``python -m bench.masking [--testdata ../shared/testdata] [--dialogues 100] [--seed 1] [--json]``

Secrets: generated dialogues (synthetic text), so many for each language, kind and manner, the styles of telling in turn. The
sentences around the digits are those the tests use ("seen"), others that the tables were mended by ("unseen", "second"), or those
that nothing was fitted to ("fresh"). In *clear* ones the caller tells the number in one go; in *busy* ones there are fillers,
corrections, and the agent's words and read-backs in between; in *misheard* ones one group in ten is recognised as another word as
well.

A dialogue is ``whole`` where no word of the number stays readable. In the *words* that is what ``engine.privacy`` masks; *stored*
is what is masked of a recording, where all that is said within a mask's time goes. ``precision``: of the masked words, the share
that lie within the number, its fillers and corrections; *stored* loses the others' words around it, by its steps.

Else: generated sentences with sums, dates, times, counts and branches, also just after a secret was spoken of; and real
transcripts, where a human or a machine wrote what was said: with ``--show`` every mask of these is listed, for reading.
"""

from __future__ import annotations

import argparse
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from json import loads
from pathlib import Path
from random import Random

from bench.card import Row, report
from bench.masking_fresh import FRESH
from bench.masking_innocent import innocent
from bench.masking_second import SECOND
from bench.masking_wording import UNSEEN
from engine.core.call import Speaker
from engine.core.speech import CHINESE, ENGLISH, RUSSIAN, Transcript, Word
from engine.core.units import Language, Seconds
from engine.privacy import Kind, Span, Turn, find_spans, mask_text
from engine.privacy.phrases import phrases_of
from engine.privacy.speech import row_of
from engine.runtime.batch.masking import mask_turns
from engine.runtime.transcribe import SpokenTurn
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
WORDINGS = {"seen": TELLINGS, "unseen": UNSEEN, "second": SECOND, "fresh": FRESH}
_LONG = 12  # digits
_ENDS: Mapping[Language, str] = {
    ENGLISH: "thank you very much for that I can see your account now what would you like to know about it today",
    RUSSIAN: "большое спасибо я вижу ваш счет чем еще могу помочь вам сегодня расскажите пожалуйста что именно случилось",
    CHINESE: "非常 感谢 我 已经 看到 您 的 账户 了 请问 今天 有 什么 可以 帮 您 的 吗 您 慢慢 讲",
}


@dataclass(frozen=True, slots=True)
class Case:
    """One dialogue and how it was made."""

    wording: str
    manner: str
    language: Language
    kind: Kind
    style: Style
    digits: int
    told: Told


@dataclass(frozen=True, slots=True)
class Judged:
    """What masking made of it."""

    case: Case

    words: Reading
    """By the words alone."""

    stored: Reading
    """As it is stored."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Words, counted."""

    left: int
    """Of the number, still readable."""

    masked: int
    spoilt: int
    """Of the masked ones, outside the number."""

    @classmethod
    def of(cls, told: Told, masked: Container[tuple[int, int]]) -> Reading:
        """Count. ``masked``: turn and word."""
        everything = [(turn, word) for turn, each in enumerate(told.turns) for word in range(len(each.said.words))]
        left = sum(place not in masked for place in set(told.secret))
        return cls(left, sum(place in masked for place in everything), sum(place in masked for place in told.innocent))


def covered(turns: Sequence[Turn]) -> set[tuple[int, int]]:
    """Give the words that are masked: turn, word."""
    return {(span.turn, word) for span in find_spans(turns) for word in range(span.first, span.last + 1)}


def stored(turns: Sequence[Turn]) -> set[tuple[int, int]]:
    """Give the words that are masked where a recording is stored, of a call that goes on for half a minute."""
    spoken = [SpokenTurn(Speaker(it.speaker), it.said.words[0].start, it.said.words[-1].end, it.said) for it in turns]
    _, masks = mask_turns(spoken, [], Seconds(spoken[-1].end + 30))
    timed = [((turn, place), word) for turn, it in enumerate(turns) for place, word in enumerate(it.said.words)]
    return {where for where, word in timed if any(it.holds(word) for it in masks)}


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
                        yield Case(wording, manner, language, kind, style, len(digits), _with_end(told, language))


def _with_end(told: Told, language: Language) -> Told:
    """Let the agent go on a second later, so that it shows what masks take of what follows."""
    now, turn = told.turns[-1].said.words[-1].end + 1.0, len(told.turns)
    texts = _ENDS[language].split()
    words = tuple(Word(text, Seconds(now + 0.35 * at), Seconds(now + 0.35 * at + 0.35)) for at, text in enumerate(texts))
    end = Turn("agent", Transcript(words, language))
    return replace(told, turns=(*told.turns, end), innocent=(*told.innocent, *((turn, at) for at in range(len(texts)))))


def secrets(count: int, seed: int) -> list[Row]:
    """Measure recall and precision: by sentences, manner, language and what the issue asks for; then by kind and by style."""
    judged = [
        Judged(case, Reading.of(case.told, covered(case.told.turns)), Reading.of(case.told, stored(case.told.turns)))
        for case in cases(count, seed)
    ]
    rows: list[Row] = []
    for sorts in (_sizes, _kinds, _styles):
        groups: dict[tuple[str, str, str, str], list[Judged]] = {}
        for one in judged:
            case = one.case
            for what in sorts(case):
                groups.setdefault((case.wording, case.manner, case.language, what), []).append(one)
        rows += [_row(*key, members) for key, members in sorted(groups.items(), key=lambda group: group[0])]
    return rows


def _sizes(case: Case) -> Iterator[str]:
    if case.digits >= _LONG:
        yield "12 digits and more"
    if case.kind.short:
        yield "PINs and codes"


def _kinds(case: Case) -> Iterator[str]:
    yield case.kind


def _styles(case: Case) -> Iterator[str]:
    yield case.style


def _row(wording: str, manner: str, language: str, what: str, members: Sequence[Judged]) -> Row:
    words = sum(len(set(one.case.told.secret)) for one in members)
    row: dict[str, object] = {
        "sentences": wording,
        "manner": manner,
        "language": language,
        "what": what,
        "dialogues": len(members),
    }
    for name, readings in (("words", [one.words for one in members]), ("stored", [one.stored for one in members])):
        masked = sum(it.masked for it in readings)
        row[f"{name}: recall"] = 1 - sum(it.left for it in readings) / words
        row[f"{name}: whole"] = sum(not it.left for it in readings) / len(members)
        row[f"{name}: precision"] = 1 - sum(it.spoilt for it in readings) / max(masked, 1)
    return row


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
    report(
        QUESTION,
        rows,
        json=options.json,
        notes=[
            "dialogues are synthetic text; 'whole' = no number word stays readable; 'stored' = as it is masked with its recording"
        ],
    )
    rows = innocents(options.dialogues, options.seed)
    if options.testdata:
        rows += others(options.testdata, show=options.show)
    report("And how much else?", rows, json=options.json, notes=["sentences are synthetic text, transcripts real ones"])


if __name__ == "__main__":
    main()
