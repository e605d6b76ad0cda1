"""Markup that can't be broken out of."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from engine.qa.report.markup import LONGEST, Markup, element, foreign, join


class _Read(HTMLParser):
    """What a browser makes of it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, text: str) -> None:
        self.text += text


@given(st.text(max_size=80), st.text(max_size=80))
def test_whatever_a_text_is_it_stays_a_text(inside: str, attribute: str) -> None:
    read = _Read(element("p", inside, title=attribute))

    assert [tag for tag, _ in read.tags] == ["p"]
    assert list(read.tags[0][1]) == ["title"]
    assert element("p", inside, title=attribute).encode()  # no lone surrogate is left


def test_scripts_and_quotes_are_shown_as_they_were_written() -> None:
    hostile = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
    read = _Read(element("td", foreign(hostile), title=hostile))

    assert read.text == hostile
    assert [tag for tag, _ in read.tags] == ["td", "bdi"]


def test_markup_is_not_escaped_again_and_plain_texts_beside_it_are() -> None:
    assert join([Markup("<b>x</b>"), "<i>", None, ["&"]]) == "<b>x</b>&lt;i&gt;&amp;"


def test_a_text_from_elsewhere_is_cut_and_isolated() -> None:
    shown = foreign("\u202e" + "x" * 10_000)

    assert shown.startswith('<bdi dir="auto">\u202exxx')
    assert len(shown) < LONGEST + 40


def test_what_no_file_may_hold_is_replaced() -> None:
    assert join("a\x00b\x1b\ud800c\x9f") == "a\ufffdb\ufffd\ufffdc\ufffd"


def test_attributes_can_be_left_out_or_stand_alone() -> None:
    assert (
        element("audio", controls=True, src=None, aria_label="x", class_="y")
        == '<audio controls aria-label="x" class="y"></audio>'
    )
