"""Curves as SVG: panels side by side, lines and marked spots, readable in a page without any program."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT, _MARGIN, _HEAD = 420, 260, 44, 64  # of a panel, and round it, px
_COLOURS = ("#1d4ed8", "#c2410c", "#15803d")
_TICKS = 5


@dataclass(frozen=True, slots=True)
class Line:
    """A curve."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Spot:
    """A place worth pointing at."""

    name: str
    x: float
    y: float


def drawn(across: str, panels: Sequence[Sequence[Line]], spots: Sequence[Sequence[Spot]]) -> str:
    """An SVG; ``across`` names the horizontal axis of all panels."""
    size = f"{len(panels) * (_WIDTH + 2 * _MARGIN)} {_HEAD + _HEIGHT + 2 * _MARGIN + 18 * max(map(len, spots))}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" font-family="system-ui, sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for number, (lines, marked) in enumerate(zip(panels, spots, strict=True)):
        left = number * (_WIDTH + 2 * _MARGIN) + _MARGIN
        parts += [f'<g transform="translate({left} {_HEAD})">', *_panel(across, lines, marked), "</g>"]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(across: str, lines: Sequence[Line], spots: Sequence[Spot]) -> Iterator[str]:
    points = [point for line in lines for point in line.points] + [(spot.x, spot.y) for spot in spots]
    right, top = _end(max(x for x, _ in points)), _end(max(y for _, y in points))
    yield from _axes(right, top)
    yield f'<text x="{_WIDTH / 2}" y="{_HEIGHT + 34}" text-anchor="middle">{escape(across)}</text>'
    for number, line in enumerate(lines):
        path = " ".join(f"{_x(x, right):.1f},{_y(y, top):.1f}" for x, y in sorted(line.points))
        colour = _COLOURS[number % len(_COLOURS)]
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
        yield f'<text x="0" y="{-40 + 16 * number}" fill="{colour}">{escape(line.name)}</text>'
    for number, spot in enumerate(spots, 1):
        x, y = _x(spot.x, right), _y(spot.y, top)
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="#111827"/><text x="{x + 6:.1f}" y="{y - 6:.1f}">{number}</text>'
        yield f'<text x="0" y="{_HEIGHT + 40 + 18 * number}">{number}: {escape(spot.name)}: {spot.y:g} at {spot.x:g}</text>'


def _axes(right: float, top: float) -> Iterator[str]:
    for tick in range(_TICKS + 1):
        x, y = right * tick / _TICKS, top * tick / _TICKS
        yield f'<line x1="0" x2="{_WIDTH}" y1="{_y(y, top):.1f}" y2="{_y(y, top):.1f}" stroke="#e5e7eb"/>'
        yield f'<text x="-6" y="{_y(y, top) + 4:.1f}" text-anchor="end">{y:g}</text>'
        yield f'<text x="{_x(x, right):.1f}" y="{_HEIGHT + 16}" text-anchor="middle">{x:g}</text>'


def _x(value: float, right: float) -> float:
    return _WIDTH * value / right


def _y(value: float, top: float) -> float:
    return _HEIGHT * (1 - value / top)


def _end(most: float) -> float:
    """A round number that is no less."""
    step: float = 10.0 ** math.floor(math.log10(max(most, 1e-9)))
    return next(step * times for times in (1, 2, 2.5, 5, 10) if step * times >= most)
