"""A call that is over, watched as if it went on: what a card would have said when."""

from __future__ import annotations

from collections.abc import Iterator

from engine.core.units import Seconds
from engine.qa.card import Scorecard
from engine.qa.monitor import CallSetting, Change, Monitor
from engine.qa.timeline import Timeline


def watched(card: Scorecard, call: Timeline) -> Iterator[Change]:
    """The changes in the order of the call; what is decided at its end comes last.

    Events are told when they are over. What one says over themselves, which only a broken transcript holds, is taken as it comes.
    """
    monitor = Monitor(card, CallSetting(call.language, call.by_machine, call.facts, call.listened_for))
    events = sorted(call.events, key=lambda it: it.span.end)
    for turn in call.stretches:
        start = max(monitor.now, turn.span.start)
        while events and events[0].span.end <= start:
            event = events.pop(0)
            yield from _until(monitor, event.span.end)
            yield from monitor.happened(event, event.span.end)
        yield from _until(monitor, start)
        yield from monitor.heard(turn, start)
    for event in events:
        yield from monitor.happened(event, max(monitor.now, event.span.end))
    yield from monitor.end(max(monitor.now, call.conversation.end))


def _until(monitor: Monitor, time: Seconds) -> Iterator[Change]:
    while monitor.deadline is not None and monitor.deadline <= time:
        yield from monitor.tick(monitor.deadline)
