"""``callwright bench``: the questions an engineer asks, answered by measuring on this machine.

Each is a file of ``bench/`` with options of its own (``callwright bench wer --help``), and ends with the same table or JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module

import typer

app = typer.Typer(help="Measure on this machine.", no_args_is_help=True)

_QUESTIONS: Mapping[str, str] = {
    "latency": "How long does a caller wait for the answer, with one caller and with many?",
    "capacity": "How many calls at once does this machine carry?",
    "endpoint": "How often is a caller cut off, for how short a wait?",
    "restarts": "How long is the media loop held while workers die and are replaced?",
    "vad": "Which voice detector hears a voice soonest, and noise least?",
    "wer": "How many words are heard wrong?",
    "digits": "How many spoken digit strings are heard right, and are the wrong ones flagged?",
    "calibration": "Does a confidence of 0.9 mean right nine times in ten?",
    "intents": "How well are callers understood?",
    "spoken": "How well are callers understood who speak, and how often do they land where they did not want to?",
    "ledger": "Does the ledger lose or double anything when its runs are killed?",
    "masking": "How many spoken secrets are masked, and how much else?",
    "assist": "How many silent agents does a bank need, and how soon is a phrase at a desk?",
    "assist_curve": "What does a silent agent buy: wrong jumps against the share that is handed over?",
    "outbound": "How many calls a day does one line make?",
    "outbound_kills": "Does a campaign call anybody twice, or lose anybody, when its processes are killed?",
    "outbound_sip": "The same over real SIP.",
    "outbound_whole": "The same with a whole engine that talks, and telephones that answer.",
    "outbound_operators": "Are operators kept busy, and who finds none?",
    "answering": "Who answered a campaign's call, and how soon is that known?",
    "batch": "How many hours of recordings does an hour of one core hear?",
    "qa": "Does the scorecard agree with people, and how fast is scoring?",
    "qa_speed": "How fast is scoring, alone, in a replay, and while a call goes on?",
    "takeaway": "What do a report and exports of many calls cost?",
    "lists": "What does a bad list of 100,000 rows cost, and what is said of it?",
    "hostile": "What does a stranger's file cost, and what is said of it?",
}
_PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def _asking(name: str) -> Callable[[typer.Context], None]:
    def ask(context: typer.Context) -> None:
        import_module(f"bench.{name}").main(context.args)

    return ask


for _name, _question in _QUESTIONS.items():
    app.command(_name, help=_question, context_settings=_PASS_ON)(_asking(_name))
