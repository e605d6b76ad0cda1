"""Whatever a stranger sends: something is understood, or it is refused with the parser's own error."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.parsers import PARSERS, Parser

_LONGEST = 400


def mangled(parser: Parser) -> st.SearchStrategy[bytes]:
    """Any bytes, or a whole message with a piece cut out and another put in."""

    def changed(seed: bytes, at: int, cut: int, put: bytes) -> bytes:
        begin = at % (len(seed) + 1)
        return seed[:begin] + put + seed[begin + cut :]

    pieces = st.one_of(
        st.binary(max_size=8), st.sampled_from([b'"', b"{", b"[" * 2000, b"\xff", b"<", b"\r\n\r\n", b"0" * 400, b"1e999"])
    )
    whole = st.sampled_from(list(parser.seeds))
    return st.binary(max_size=_LONGEST) | st.builds(changed, whole, st.integers(0, 4000), st.integers(0, 40), pieces)


@pytest.mark.parametrize("name", PARSERS)
def test_a_whole_message_is_understood(name: str) -> None:
    parser = PARSERS[name]

    for seed in parser.seeds:
        parser.read(seed)


@pytest.mark.parametrize("name", PARSERS)
@given(draw=st.data())
def test_anything_else_is_refused_with_the_error_of_the_contract(name: str, draw: st.DataObject) -> None:
    parser = PARSERS[name]
    octets = draw.draw(mangled(parser))

    with contextlib.suppress(parser.refuses_with):
        parser.read(octets)
