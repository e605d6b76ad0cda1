"""A flow as a picture: Mermaid for pages that render it, SVG for everywhere else. Neither needs a program of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from itertools import accumulate
from unicodedata import east_asian_width

from engine.dialogue.graph import Flow, Node, NodeId
from engine.ivr.layout import Layout, Spot, Step, lay_out, steps_of

_WIDTH, _HEIGHT = 216, 50  # of a node, px
_COLUMN, _ROW = 300, 64  # from one to the next, px
_MARGIN, _HEAD = 32, 84  # round the drawing, and above it for title and legend, px
_MOST_LETTERS = 27  # of a title in a node, at 13 px
_MOST_FOOT_LETTERS = 34  # of the line below it, at 11 px

_FONT = 'font-family="system-ui, sans-serif" font-size="13"'

_COLOURS = {
    "menu": ("#dbeafe", "#2563eb"),
    "ask": ("#dcfce7", "#16a34a"),
    "keypad": ("#fef9c3", "#a16207"),
    "service": ("#ede9fe", "#7c3aed"),
    "say": ("#f8fafc", "#64748b"),
    "transfer": ("#ffedd5", "#c2410c"),
    "end": ("#fee2e2", "#b91c1c"),
}
"""Fill and line of a node, by its type."""

_MERMAID_SHAPES = {
    "menu": ("{{", "}}"),
    "ask": ("[/", "/]"),
    "keypad": ("[/", "/]"),
    "service": ("[[", "]]"),
    "say": ("[", "]"),
    "transfer": (">", "]"),
    "end": ("([", "])"),
}


@dataclass(frozen=True, slots=True)
class Badge:
    """What a page writes over a node, and where a click on the node leads."""

    text: str
    link: str


_NO_BADGES: Mapping[NodeId, Badge] = {}


def to_mermaid(flow: Flow) -> str:
    """The flow as a Mermaid flowchart, left to right. Names carry a prefix, for ``end`` and others are Mermaid's own words."""
    lines = ["flowchart LR"]
    for node in flow.nodes.values():
        opening, closing = _MERMAID_SHAPES[_kind(node)]
        lines.append(f'  n_{node.id}{opening}"{_mermaid_text(_title(flow, node))}"{closing}:::kind_{_kind(node)}')
    for node in flow.nodes.values():
        for step in steps_of(node):
            label = f'|"{_mermaid_text(step.label)}"|' if step.label else ""
            lines.append(f"  n_{step.source} -->{label} n_{step.target}")
    lines += [f"  classDef kind_{kind} fill:{fill},stroke:{line}" for kind, (fill, line) in _COLOURS.items()]
    return "\n".join(lines) + "\n"


def to_svg(flow: Flow, badges: Mapping[NodeId, Badge] = _NO_BADGES) -> str:
    """The flow as a picture that stands on its own, or, with badges, in a page of ours."""
    layout = lay_out(flow)
    width = 2 * _MARGIN + max(spot.column for spot in layout.spots.values()) * _COLUMN + _WIDTH
    height = _HEAD + _MARGIN + int((max(spot.row for spot in layout.spots.values()) + 1) * _ROW)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" {_FONT}>',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        *_heading(flow),
        *(_line(step, layout) for step in layout.lines),
        *(part for node in flow.nodes.values() for part in _linked(flow, node, layout, badges.get(node.id))),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _heading(flow: Flow) -> Iterator[str]:
    yield f'<text x="{_MARGIN}" y="32" font-size="18" font-weight="600">{escape(flow.name)}</text>'
    for place, (kind, (fill, line)) in enumerate(_COLOURS.items()):
        x = _MARGIN + place * 92
        yield f'<rect x="{x}" y="46" width="14" height="14" rx="3" fill="{fill}" stroke="{line}"/>'
        yield f'<text x="{x + 20}" y="58" fill="#334155">{kind}</text>'
    note = "dashed: verified callers only"
    yield f'<text x="{_MARGIN + len(_COLOURS) * 92}" y="58" fill="#334155">{note}</text>'


def _line(step: Step, layout: Layout) -> str:
    """A curve from the right edge of one node to the left edge of another, with its key at the end it is pressed for."""
    x1, y1 = _corner(layout.spots[step.source], _WIDTH, _HEIGHT / 2)
    x2, y2 = _corner(layout.spots[step.target], 0, _HEIGHT / 2)
    middle = (x1 + x2) / 2
    curve = f'<path d="M{x1:g} {y1:g} C{middle:g} {y1:g} {middle:g} {y2:g} {x2:g} {y2:g}" fill="none" stroke="#94a3b8"/>'
    return curve + _label(step.label, x2 - 8, y2 - 4) if step.label else curve


def _label(text: str, x: float, y: float) -> str:
    """A way's key or outcome, on white so that its line does not run through it."""
    letters = f'x="{x:g}" y="{y:g}" text-anchor="end" font-size="11"'
    return f'<text {letters} stroke="#ffffff" stroke-width="3" paint-order="stroke" fill="#0f172a">{escape(text)}</text>'


def _linked(flow: Flow, node: Node, layout: Layout, badge: Badge | None) -> Iterator[str]:
    if badge is None:
        yield from _box(flow, node, layout)
        return
    x, y = _corner(layout.spots[node.id], _WIDTH - 2, -4)
    letters = 'text-anchor="end" font-size="11" font-weight="600" fill="#0f172a"'
    yield f'<a href="{escape(badge.link)}">'
    yield from _box(flow, node, layout)
    yield f'<text x="{x:g}" y="{y:g}" {letters}>{escape(badge.text)}</text></a>'


def _box(flow: Flow, node: Node, layout: Layout) -> Iterator[str]:
    x, y = _corner(layout.spots[node.id], 0, 0)
    fill, line = _COLOURS[_kind(node)]
    style = f'fill="{fill}" stroke="{line}" stroke-width="1.3"' + (' stroke-dasharray="5 3"' if node.requires_verified else "")
    foot = _foot(node, layout)
    title = escape(_short(_title(flow, node), _MOST_LETTERS))
    yield f"<g><title>{escape(_everything(flow, node))}</title>"
    yield f'<rect x="{x:g}" y="{y:g}" width="{_WIDTH}" height="{_HEIGHT}" rx="8" {style}/>'
    yield f'<text x="{x + 10:g}" y="{y + (20 if foot else 30):g}" fill="#0f172a">{title}</text>'
    yield f'<text x="{x + 10:g}" y="{y + 38:g}" font-size="11" fill="#64748b">{escape(foot)}</text></g>'


def _foot(node: Node, layout: Layout) -> str:
    """The node's other ways: each target once, with what leads there."""
    leads: dict[NodeId, list[str]] = {}
    for step in layout.tags.get(node.id, []):
        leads.setdefault(step.target, []).append(step.label)
    tags = [f"{'/'.join(filter(None, labels))} ↪ {target}".strip() for target, labels in leads.items()]
    return _short(" · ".join(tags), _MOST_FOOT_LETTERS)


def _everything(flow: Flow, node: Node) -> str:
    """What a pointer over the node shows: its name, what it says, and every way on."""
    says = [prompt.texts[flow.languages[0]] for prompt in node.prompts]
    ways = [f"{step.label} → {step.target}".strip() for step in steps_of(node)]
    return "\n".join([f"{node.id} ({_kind(node)})", *says, *ways])


def _corner(spot: Spot, right: float, down: float) -> tuple[float, float]:
    return _MARGIN + spot.column * _COLUMN + right, _HEAD + spot.row * _ROW + down


def _title(flow: Flow, node: Node) -> str:
    """What callers say to get there, else the node's name in the file."""
    spoken = node.title.get(flow.languages[0]) if node.id in flow.intents.values() else None
    return spoken or node.id.replace("_", " ")


def _kind(node: Node) -> str:
    return type(node).__name__.lower()


def _short(text: str, letters: int) -> str:
    """The text, cut to the room of so many Latin letters; Chinese ones take twice as much (Unicode Annex 11)."""
    ends = list(accumulate(2 if east_asian_width(letter) in "WF" else 1 for letter in text))
    if not ends or ends[-1] <= letters:
        return text
    return text[: sum(end < letters for end in ends)].rstrip() + "…"


def _mermaid_text(text: str) -> str:
    """Quotes, hashes and backticks mean something to Mermaid."""
    return escape(text.replace("#", "#35;"), quote=False).replace('"', "#quot;").replace("`", "'")
