"""HTML and SVG that can't be broken out of: a plain text becomes text, whatever is in it; only what is made here is markup.

Elements carry no ``style`` and no ``on...`` attribute: the page's content security policy would refuse them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from typing import TypeAlias

LONGEST = 600
"""Characters of a text from elsewhere that are shown; a person reads no more in a table."""

_INVISIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")  # what HTML and UTF-8 can't hold
_VOID = frozenset({"meta", "br", "link"})


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


Node: TypeAlias = "str | Iterable[Node] | None"
"""A text, markup, nothing, or several of them."""


def element(name: str, /, *inside: Node, **attributes: object) -> Markup:
    """One element. ``class_`` is ``class``, ``aria_label`` is ``aria-label``; ``None`` leaves out, ``True`` stands alone."""
    opened = f"<{name}{''.join(_attribute(key, value) for key, value in attributes.items())}>"
    return Markup(opened if name in _VOID else f"{opened}{join(inside)}</{name}>")


def join(nodes: Node) -> Markup:
    """Nodes one after the other, texts escaped."""
    if nodes is None:
        return Markup()
    if isinstance(nodes, Markup):
        return nodes
    if isinstance(nodes, str):
        return Markup(escape(clean(nodes)))
    return Markup("".join(join(it) for it in nodes))


def foreign(text: str, name: str = "bdi") -> Markup:
    """A text from elsewhere: cut to a length people read, and kept from turning its neighbours' direction round."""
    shown = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    return element(name, shown, dir="auto")


def clean(text: str) -> str:
    """Without what no HTML file may hold."""
    return _INVISIBLE.sub("\N{REPLACEMENT CHARACTER}", text)


def _attribute(key: str, value: object) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(clean(str(value)))}"'
