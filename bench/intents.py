"""How well are callers understood? ``python -m bench.intents [--set FOLDER] [--spoken] [--json]``

Text: five-fold cross-validation over labelled sentences, in the same run as a named peer on the same folds: the same
encoder with character n-grams and multinomial logistic regression, which is what one would write in an afternoon. A
second split trains on one collection of sentences and judges on the other, where both have an intent: other writers,
other words.

Spoken (``--spoken``): the queries of the set through the live recogniser. Each half of the sentences is judged by an
understander that has seen none of that half ("new sentence"), and by one whose examples hold them, as a flow's examples
hold what its callers really say ("known sentence"). The speech is synthetic. "Jump" is the ladder's: sure enough, and
far enough ahead.

Breaking off: each sentence is cut at a random word; how often is what was said so far called complete, and was its
meaning another?
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.sparse import hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from bench.card import Row, progress, report
from bench.recordings import SHARED
from bench.spoken import Spoken, hear
from engine.core.units import Language
from engine.dialogue.graph import Thresholds
from engine.nlu.encoder import Encoder, UniversalSentenceEncoder
from engine.nlu.evaluation import Evaluation, Judgement, Labelled, judge, summarise, train_on
from engine.nlu.interpretation import Completeness, Interpretation, Question
from engine.nlu.understand import OUT_OF_SCOPE, Understander
from engine.nlu.wording import bare

Fold: TypeAlias = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]

_FOLDS = 5
_BINS = 10
_THRESHOLDS = Thresholds()


@dataclass(frozen=True, slots=True)
class Sentence:
    """A labelled sentence and the collection it is from."""

    labelled: Labelled
    source: str


def read(file: Path) -> list[Sentence]:
    """Read labelled sentences, one JSON object a line: text, intent, lang, source."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [
        Sentence(Labelled(row["text"], row["intent"], Language(row.get("lang", "en"))), str(row.get("source", "")).split(" ")[0])
        for row in rows
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", type=Path, default=SHARED, help="a folder with text/intents.jsonl and a manifest.jsonl")
    parser.add_argument("--seeds", type=int, default=1, help="how many different five-fold splits to average over")
    parser.add_argument("--spoken", action="store_true", help="the spoken queries too, through the live recogniser")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args(arguments)
    encoder = UniversalSentenceEncoder()
    sentences = read(chosen.set / "text" / "intents.jsonl")
    rows, evaluation = _text(sentences, encoder, chosen.seeds)
    rows += _other_writers(sentences, encoder)
    if chosen.spoken:
        rows += list(_spoken(hear(chosen.set), [sentence.labelled for sentence in sentences], encoder))
    if chosen.json:
        rows.append({"what": "text, five folds, in detail", **asdict(evaluation)})
    report("how well are callers understood?", rows, json=chosen.json, notes=_tables(evaluation))


def _text(sentences: Sequence[Sentence], encoder: Encoder, seeds: int) -> tuple[list[Row], Evaluation]:
    labelled = [sentence.labelled for sentence in sentences]
    peer = Peer(labelled, encoder)
    ours: list[Judgement] = []
    peers: list[tuple[str, str]] = []
    broken: list[tuple[Judgement, Judgement]] = []
    for train, test in _folds(labelled, seeds):
        understander = train_on([labelled[place] for place in train], encoder=encoder)
        held_out = [labelled[place] for place in test]
        judged = judge(held_out, understander)
        ours += judged
        broken += _broken_off(judged, understander)
        peers += zip([one.intent for one in held_out], peer.guesses(train, test), strict=True)
        progress(f"{len(ours)} of {seeds * len(labelled)} judged")
    evaluation = summarise(ours)
    rows: list[Row] = [_row("text, five folds", evaluation, ours), _peer_row(peers), _broken_row(broken)]
    return rows, evaluation


def _folds(labelled: Sequence[Labelled], seeds: int) -> Iterator[Fold]:
    intents = [one.intent for one in labelled]
    for seed in range(seeds):
        yield from StratifiedKFold(_FOLDS, shuffle=True, random_state=seed).split(intents, intents)


class Peer:
    """Encoder, character n-grams, logistic regression."""

    def __init__(self, labelled: Sequence[Labelled], encoder: Encoder) -> None:
        self._texts = np.array([one.text.lower() for one in labelled])
        self._intents = np.array([one.intent for one in labelled])
        self._vectors = encoder.encode(self._texts.tolist())

    def guesses(self, train: npt.NDArray[np.intp], test: npt.NDArray[np.intp]) -> list[str]:
        """Learn from some of the sentences, guess the others."""
        characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=2, sublinear_tf=True)
        known = hstack([self._vectors[train], 0.5 * characters.fit_transform(self._texts[train])]).tocsr()
        new = hstack([self._vectors[test], 0.5 * characters.transform(self._texts[test])]).tocsr()
        classifier = LogisticRegression(C=10.0, max_iter=500).fit(known, self._intents[train])
        return [str(intent) for intent in classifier.predict(new)]


def _row(what: str, evaluation: Evaluation, judged: Sequence[Judgement]) -> Row:
    in_scope = [one for one in judged if one.labelled.intent != OUT_OF_SCOPE]
    return {
        "what": what,
        "sentences": len(judged),
        "accuracy_in_scope": evaluation.accuracy_in_scope,
        "out_of_scope_recall": evaluation.out_of_scope_recall,
        "jump_right": _share([_jumps(one.interpretation) and one.right for one in in_scope]),
        "jump_wrong": _share([_jumps(one.interpretation) and not _best_is_right(one) for one in judged]),
        "calibration_error": _calibration_error(judged),
        "complete": _share([one.interpretation.completeness is Completeness.COMPLETE for one in in_scope]),
    }


def _peer_row(pairs: Sequence[tuple[str, str]]) -> Row:
    return {
        "what": "peer, same folds",
        "sentences": len(pairs),
        "accuracy_in_scope": _share([truth == guess for truth, guess in pairs if truth != OUT_OF_SCOPE]),
        "out_of_scope_recall": _share([truth == guess for truth, guess in pairs if truth == OUT_OF_SCOPE]),
    }


def _jumps(interpretation: Interpretation) -> bool:
    """The first rung of the ladder."""
    confidences = [float(candidate.confidence) for candidate in interpretation.candidates] + [0.0, 0.0]
    return confidences[0] >= _THRESHOLDS.accept and confidences[0] - confidences[1] >= _THRESHOLDS.margin


def _best_is_right(judged: Judgement) -> bool:
    return judged.best is not None and judged.best.intent == judged.labelled.intent


def _calibration_error(judged: Sequence[Judgement]) -> float:
    """Expected calibration error of the likeliest candidate, in ten equal bins."""
    confidence = np.array([float(one.best.confidence) if one.best else 0.0 for one in judged])
    right = np.array([_best_is_right(one) for one in judged])
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    return float(
        sum(
            np.mean(bins == place) * abs(right[bins == place].mean() - confidence[bins == place].mean())
            for place in np.unique(bins)
        )
    )


def _broken_off(judged: Sequence[Judgement], understander: Understander) -> Iterator[tuple[Judgement, Judgement]]:
    """Each spaced sentence beside itself cut off after a random word."""
    draw = np.random.default_rng(len(judged))
    for whole in judged:
        words = whole.labelled.text.split()
        if len(words) > 1:
            cut = replace(whole.labelled, text=" ".join(words[: int(draw.integers(1, len(words)))]))
            yield whole, judge([cut], understander)[0]


def _broken_row(pairs: Sequence[tuple[Judgement, Judgement]]) -> Row:
    ended = [cut.interpretation.completeness is Completeness.COMPLETE for _, cut in pairs]
    other = [whole.guess != cut.guess for whole, cut in pairs]
    return {
        "what": "text, broken off",
        "sentences": len(pairs),
        "complete": _share(ended),
        "complete_other_meaning": _share([one and differs for one, differs in zip(ended, other, strict=True)]),
        "complete_while_meaning_open": _share([one for one, differs in zip(ended, other, strict=True) if differs]),
    }


def _tables(evaluation: Evaluation) -> list[str]:
    lines = ["per intent (count, recall, precision), and what it is taken for:"]
    for intent, score in evaluation.per_intent.items():
        taken = {guess: count for guess, count in evaluation.confusion.get(intent, {}).items() if guess != intent}
        worst = ", ".join(f"{guess} {count}" for guess, count in Counter(taken).most_common(3))
        lines.append(f"{intent:22} {score.count:4}  {_percent(score.recall)} {_percent(score.precision)}  {worst}")
    return lines


def _percent(share: float | None) -> str:
    return "     –" if share is None else f"{100 * share:5.1f}%"


def _share(flags: Sequence[bool]) -> float | None:
    return sum(flags) / len(flags) if flags else None


def _other_writers(sentences: Sequence[Sentence], encoder: Encoder) -> list[Row]:
    """Train on one collection, judge on another, on the intents both have."""
    by_source: dict[str, list[Labelled]] = defaultdict(list)
    for sentence in sentences:
        by_source[sentence.source].append(sentence.labelled)
    strangers = [one.labelled for one in sentences if one.labelled.intent == OUT_OF_SCOPE]
    rows = []
    for one, other in (("banking77", "clinc150"), ("clinc150", "banking77")):
        shared = {item.intent for item in by_source[one]} & {item.intent for item in by_source[other]} - {OUT_OF_SCOPE}
        known = [item for item in by_source[one] if item.intent in shared]
        new = [item for item in by_source[other] if item.intent in shared]
        if len(shared) > 1:
            judged = judge([*new, *strangers], train_on([item for item in known if item not in strangers], encoder=encoder))
            rows.append(_row(f"{one} → {other}, no out-of-scope examples", summarise(judged), judged))
    return rows


def _spoken(queries: Sequence[Spoken], examples: Sequence[Labelled], encoder: Encoder) -> Iterator[Row]:
    """Both halves, each by an understander that does not know its sentences, and by one that does."""
    sentences = sorted({bare(query.labelled.text) for query in queries})
    for known in (False, True):
        judged: list[tuple[Spoken, Judgement]] = []
        for half in (set(sentences[0::2]), set(sentences[1::2])):
            kept = [one for one in examples if known or bare(one.text) not in half]
            mine = [query for query in queries if bare(query.labelled.text) in half]
            judged += _judge_heard(mine, train_on(kept, encoder=encoder))
        for condition in (*sorted({query.condition for query in queries}), None):
            chosen = [one for query, one in judged if condition in (None, query.condition)]
            what = f"spoken (synthetic), {'known' if known else 'new'} sentence, {condition or 'all'}"
            yield _row(what, summarise(chosen), chosen)


def _judge_heard(queries: Sequence[Spoken], understander: Understander) -> list[tuple[Spoken, Judgement]]:
    question = Question()
    return [(query, Judgement(query.labelled, understander.interpret(query.heard, question))) for query in queries]


if __name__ == "__main__":
    main()
