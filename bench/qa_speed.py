"""How fast is scoring, alone, in a replay, and while a call goes on? ``python -m bench.qa_speed [--calls 10000] [--json]``

In CPU seconds where nothing else is said, so that a busy machine does no more harm than it must:

* scoring: calls of five minutes, joined from the real ones of ``harper_valley``, one core, one after the other;
* reading: the same calls from their JSON;
* plain regex: the floor. The same phrases' words looked for in the same calls with one regular expression each, which tolerates
  nothing, knows no doubt and shows no place;
* replay: so many transcripts on disk scored by a card on all cores, reading included, by the wall clock; each of 400 different
  files is read again and again, so that the disk is not what is measured;
* live: a call of half an hour given to a monitor turn by turn; milliseconds a turn.

``confident`` calls have word times and made-up confidences, one word in ten below what the card relies on.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from bench.card import Row, report
from bench.qa_calls import CARD, Call, Transcript, calls, joined
from bench.recordings import SHARED
from engine.core.units import Seconds
from engine.qa.card import Scorecard
from engine.qa.expressions import Say
from engine.qa.files import load_scorecard
from engine.qa.flips import Before
from engine.qa.monitor import CallSetting, Monitor
from engine.qa.phrases import Kind, Phrase
from engine.qa.scoring import score
from engine.qa.timeline import Timeline
from engine.qa.transcripts import parse_transcript, timeline_of
from engine.qa.walking import asked_by_questions
from engine.runtime.rescoring import Rescoring, rescored

_FIVE_MINUTES_S = 300.0
_HALF_AN_HOUR_S = 1800.0
_FILES = 400
_ROUNDS = 5  # each call is scored so often; the median is told
_KINDS = ("people", "machine", "confident")


def speeds(card: Scorecard, known: Iterable[Call]) -> Iterator[Row]:
    """Scoring on one core beside the floor; a row for each kind of words."""
    listed, patterns = list(known), [re.compile(_plain(phrase)) for phrase in _phrases(card)]
    for words in _KINDS:
        texts = [json.dumps(it) for it in _joined(listed, words)]
        for text in texts:
            _spent(card, text, patterns)  # the card meets the words
        spent = np.array([_spent(card, text, patterns) for text in texts * _ROUNDS])
        for what, seconds in zip(("reading", "scoring", "plain regex"), spent.T, strict=True):
            yield {
                "question": what,
                "words": words,
                "unit": "calls of 5 min a second and core",
                "p50": 1.0 / float(np.median(seconds)),
                "all": 1.0 / float(seconds.mean()),
            }


def _joined(known: Sequence[Call], words: str) -> Iterator[Transcript]:
    return (joined([*known[first:], *known[:first]], _FIVE_MINUTES_S, words) for first in range(len(known)))


def _spent(card: Scorecard, text: str, patterns: Sequence[re.Pattern[str]]) -> tuple[float, float, float]:
    """CPU seconds to read a call, to score it, and to look for plain regular expressions."""
    began = time.process_time()
    call = parse_transcript(text, "joined")
    read = time.process_time()
    score(card, call)
    scored = time.process_time()
    said = " ".join(word.text for word in call.words)
    for pattern in patterns:
        pattern.findall(said)
    return read - began, scored - read, time.process_time() - scored


def _phrases(card: Scorecard) -> Iterator[Phrase]:
    for asked in dict.fromkeys(asked_by_questions(card)):
        if isinstance(asked, Say):
            yield from asked.phrases[card.languages[0]]


def _plain(phrase: Phrase) -> str:
    """Its words one after the other and nothing else."""
    parts = {Kind.ANY_WORD: r"\S+", Kind.GAP: r".{0,40}?"}
    return r"\b" + r"\s+".join(parts.get(it.kind, f"(?:{'|'.join(map(re.escape, it.options))})") for it in phrase.parts) + r"\b"


def live(card: Scorecard, known: Iterable[Call]) -> Row:
    """A monitor's cost a turn."""
    call = timeline_of(joined(list(known), _HALF_AN_HOUR_S, "confident"), "joined")
    spent = [1000.0 * it for it in _turn_by_turn(card, call)]
    p50, p95 = (float(it) for it in np.percentile(spent, [50, 95]))
    return {"question": "live, 30 min", "words": "confident", "unit": "ms a turn", "p50": p50, "p95": p95, "most": max(spent)}


def _turn_by_turn(card: Scorecard, call: Timeline) -> Iterator[float]:
    monitor = Monitor(card, CallSetting(call.language))
    for turn in call.stretches:
        now, began = Seconds(max(monitor.now, turn.span.start)), time.process_time()
        while monitor.deadline is not None and monitor.deadline <= now:
            monitor.tick(monitor.deadline)
        monitor.heard(turn, now)
        yield time.process_time() - began


def replay(known: Sequence[Call], number: int) -> Iterator[Row]:
    """Stored transcripts scored by a card that never saw them, on all cores."""
    workers = len(os.sched_getaffinity(0))
    with TemporaryDirectory() as folder:
        before = [Before(str(n), _written(Path(folder), n, known), {}, None, fatal=False) for n in range(min(number, _FILES))]
        began, used = time.perf_counter(), _used()
        done = sum(1 for _ in rescored(islice(cycle(before), number), Rescoring(CARD, Path(folder), workers)))
        spent, worked = time.perf_counter() - began, _used() - used
    yield {"question": f"replay of {done}", "words": "confident", "unit": f"calls/s, {workers} workers", "all": done / spent}
    yield {"question": "the same", "words": "confident", "unit": "s", "all": spent}
    yield {"question": "the same", "words": "confident", "unit": "CPU ms a call", "all": 1000.0 * worked / done}


def _used() -> float:
    """CPU seconds of this process and of its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _written(folder: Path, number: int, known: Sequence[Call]) -> str:
    """One of many calls: joined from other ones in another order."""
    turned = [known[(number + 5 * place) % len(known)] for place in range(len(known))]
    name = f"{number}.json"
    (folder / name).write_text(json.dumps(joined(turned, _FIVE_MINUTES_S, "confident")), encoding="utf-8")
    return name


def main(arguments: Sequence[str] | None = None) -> None:
    """Run from the shell."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--json", action="store_true", help="print one JSON object")
    options.add_argument("--folder", type=Path, default=SHARED, help="a labelled set with a folder harper_valley")
    options.add_argument("--calls", type=int, default=10_000, help="in the replay; 0 leaves it out")
    chosen = options.parse_args(arguments)
    card, known = load_scorecard(CARD), list(calls(chosen.folder).values())
    rows = [*speeds(card, known), live(card, known), *(replay(known, chosen.calls) if chosen.calls else ())]
    report("How fast is scoring?", rows, json=chosen.json)


if __name__ == "__main__":
    main()
