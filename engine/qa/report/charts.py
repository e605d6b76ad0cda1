"""Small charts as inline SVG. Colours are the style sheet's (``page.css``), so that they follow light, dark and paper.

Each says with a text what it shows (``title``), or is hidden from screen readers where the numbers stand beside it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar

from engine.qa.checks import Verdict
from engine.qa.report.figures import Estimate
from engine.qa.report.markup import Markup, element

T = TypeVar("T")

_TOP, _PLOT, _GAP, _BARS, _FOOT = 10, 150, 26, 34, 22  # pixels from the top of the trend: its parts' heights
_LEFT, _RIGHT = 34, 12
_LABEL_EVERY = 95  # pixels between dates
_ORDER = (Verdict.PASS, Verdict.FAIL, Verdict.UNKNOWN, Verdict.NA)


@dataclass(frozen=True, slots=True)
class Point:
    """A day or a week."""

    label: str

    mean: Estimate | None

    calls: int

    told: str
    """The same in words."""


def trend(points: Sequence[Point], width: int, title: str) -> Markup:
    """Means with their intervals as a line in a band, and the number of calls as bars below."""
    bottom = axis_from(it.mean for it in points if it.mean)
    step = (width - _LEFT - _RIGHT) / max(1, len(points))
    height = _TOP + _PLOT + _GAP + _BARS + _FOOT

    def across(place: int) -> float:
        return _LEFT + step * (place + 0.5)

    def up(share: float) -> float:
        return _TOP + _PLOT * (1 - (share - bottom) / (1 - bottom))

    parts = [*_grid(bottom, width, up), *_runs(points, across, up), *_calls(points, across, step), *_dates(points, across, step)]
    return element(
        "svg",
        element("title", title),
        parts,
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        role="img",
        class_="trend",
    )


def interval(found: Estimate, bottom: float, width: int = 120) -> Markup:
    """A mean as a dot on the line of its interval, on an axis from ``bottom`` to 1."""

    def across(share: float) -> str:
        return _n(4 + (width - 8) * (max(share, bottom) - bottom) / (1 - bottom))

    low, high, middle = across(found.low), across(found.high), across(found.value)
    return element(
        "svg",
        element("line", x1=4, x2=width - 4, y1=9, y2=9, class_="rail"),
        element("line", x1=low, x2=high, y1=9, y2=9, class_="reach"),
        element("circle", cx=middle, cy=9, r=4, class_="dot"),
        **_hidden(width, 18),
    )


def answers(counts: Sequence[int], width: int = 150) -> Markup:
    """How many passed, failed, stayed unknown and were not asked, as one bar."""
    whole = max(1, sum(counts))
    parts, at = [], 0.0
    for verdict, count in zip(_ORDER, counts, strict=True):
        length = width * count / whole
        parts.append(element("rect", x=_n(at), y=3, width=_n(max(0.0, length - 0.75)), height=12, class_=f"v-{verdict.value}"))
        at += length
    return element("svg", parts, **_hidden(width, 18))


def spark(values: Sequence[float | None], bottom: float, width: int = 96) -> Markup:
    """A trend as one small line; where nothing is known, it is broken."""
    height, step = 22, (width - 6) / max(1, len(values) - 1)
    places = [
        None if value is None else (3 + step * place, 3 + (height - 6) * (1 - (max(value, bottom) - bottom) / (1 - bottom)))
        for place, value in enumerate(values)
    ]
    lines = [_line(run, "spark") for run in _unbroken(places) if len(run) > 1]
    last = next((it for it in reversed(places) if it), None)
    dot = None if last is None else element("circle", cx=_n(last[0]), cy=_n(last[1]), r=2.5, class_="spark-end")
    return element("svg", lines, dot, **_hidden(width, height))


def axis_from(means: Iterator[Estimate] | Sequence[Estimate]) -> float:
    """Where an axis begins that shows all intervals: a tenth, at most 0.8."""
    lowest = min((it.low for it in means), default=0.0)
    return min(0.8, math.floor(lowest * 10) / 10)


def _grid(bottom: float, width: int, up: Callable[[float], float]) -> Iterator[Markup]:
    first, step = round(bottom * 100), 10 if bottom >= 0.5 else 20
    for percent in range(math.ceil(first / step) * step, 101, step):
        y = _n(up(percent / 100))
        yield element("line", x1=_LEFT, x2=width - _RIGHT, y1=y, y2=y, class_="grid")
        yield element("text", str(percent), x=_LEFT - 6, y=y, dy="0.35em", text_anchor="end", class_="tick")


def _runs(points: Sequence[Point], across: Callable[[int], float], up: Callable[[float], float]) -> Iterator[Markup]:
    known = [None if it.mean is None else (across(place), it.mean) for place, it in enumerate(points)]
    for run in _unbroken(known):
        band = [(x, up(mean.high)) for x, mean in run] + [(x, up(mean.low)) for x, mean in reversed(run)]
        if len(run) > 1:
            yield element("polygon", points=_path(band), class_="band")
        else:
            yield element("line", x1=_n(band[0][0]), x2=_n(band[0][0]), y1=_n(band[0][1]), y2=_n(band[1][1]), class_="reach")
        yield _line([(x, up(mean.value)) for x, mean in run], "line")
    for place, point in enumerate(points):
        if point.mean:
            dot = element(
                "circle", element("title", point.told), cx=_n(across(place)), cy=_n(up(point.mean.value)), r=3.2, class_="dot"
            )
            yield dot


def _calls(points: Sequence[Point], across: Callable[[int], float], step: float) -> Iterator[Markup]:
    most, floor = max((it.calls for it in points), default=0) or 1, _TOP + _PLOT + _GAP + _BARS
    broad = min(26.0, step * 0.7)
    for place, point in enumerate(points):
        tall = _BARS * point.calls / most
        x, y = _n(across(place) - broad / 2), _n(floor - tall)
        yield element("rect", element("title", point.told), x=x, y=y, width=_n(broad), height=_n(tall), class_="calls")
    yield element("text", str(most), x=_LEFT - 6, y=floor - _BARS, dy="0.7em", text_anchor="end", class_="tick")


def _dates(points: Sequence[Point], across: Callable[[int], float], step: float) -> Iterator[Markup]:
    y, every = _TOP + _PLOT + _GAP + _BARS + _FOOT - 5, max(1, math.ceil(_LABEL_EVERY / step))
    for place in range(0, len(points), every):
        yield element("text", points[place].label, x=_n(across(place)), y=y, text_anchor="middle", class_="tick")


def _unbroken(values: Sequence[T | None]) -> Iterator[list[T]]:
    for known, run in groupby(values, key=lambda it: it is not None):
        if known:
            yield [it for it in run if it is not None]


def _line(points: Sequence[tuple[float, float]], style: str) -> Markup:
    return element("polyline", points=_path(points), class_=style)


def _path(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{_n(x)},{_n(y)}" for x, y in points)


def _hidden(width: int, height: int) -> dict[str, object]:
    return {"viewBox": f"0 0 {width} {height}", "width": width, "height": height, "aria_hidden": "true", "focusable": "false"}


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
