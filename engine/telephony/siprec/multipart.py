"""Bodies of several parts (RFC 2046 section 5.1), as SIP carries them (RFC 5621): a session description beside metadata. Pure.

Bounded in parts and header lines; nested multiparts are not opened. Lines may end in LF alone, which some senders write.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from engine.core.errors import MediaError
from engine.telephony.siprec.message import parameters

MOST_PARTS: Final = 16
MOST_LINES: Final = 16
_LONGEST_BOUNDARY: Final = 70  # RFC 2046


@dataclass(frozen=True, slots=True)
class Part:
    """One of them; a body that is not of several parts is one too."""

    type: str
    """In lower case, without parameters."""

    content: bytes


def read_parts(content_type: str | None, body: bytes) -> tuple[Part, ...]:
    """Take a body apart.

    Raises:
        MediaError: it says it is of several parts, and is not; or it says nothing.
    """
    if not body.strip():
        return ()
    if content_type is None:
        raise MediaError("expected a Content-Type with a body, found none")
    kind = _kind(content_type)
    if not kind.startswith("multipart/"):
        return (Part(kind, body),)
    boundary = parameters(content_type).get("boundary", "")
    if not 1 <= len(boundary) <= _LONGEST_BOUNDARY:
        raise MediaError(f"expected a boundary of 1 to {_LONGEST_BOUNDARY} characters, found {len(boundary)}")
    return tuple(_part(piece) for piece in _pieces(boundary.encode(), body))


def _pieces(boundary: bytes, body: bytes) -> list[bytes]:
    """What lies between the boundaries; what stands before the first and after the last is nobody's business."""
    line = re.compile(rb"(?:^|\r?\n)--" + re.escape(boundary) + rb"(--)?[ \t]*(?=\r?\n|$)")
    marks = list(line.finditer(body))
    last = next((place for place, mark in enumerate(marks) if mark[1]), None)
    if last is None or not 0 < last <= MOST_PARTS:
        raise MediaError(f"expected 1 to {MOST_PARTS} parts between boundaries, found {max(0, len(marks) - 1)}")
    return [body[mark.end() : following.start()] for mark, following in pairwise(marks[: last + 1])]


def _part(piece: bytes) -> Part:
    text = re.sub(rb"^\r?\n", b"", piece, count=1)
    head, empty, content = _halves(text)
    if not empty:
        raise MediaError("expected an empty line after the header of a part, found none")
    lines = head.splitlines()
    if len(lines) > MOST_LINES:
        raise MediaError(f"expected at most {MOST_LINES} header lines of a part, found {len(lines)}")
    named = dict(line.decode("utf-8", "replace").lower().partition(":")[::2] for line in lines)
    return Part(_kind(named.get("content-type", "text/plain")), content)


def _halves(text: bytes) -> tuple[bytes, bytes, bytes]:
    if text[:1] == b"\n" or text[:2] == b"\r\n":  # a part without a header
        return b"", b"\n", text.lstrip(b"\r\n")
    found = re.search(rb"\r?\n\r?\n", text)
    return (text[: found.start()], found[0], text[found.end() :]) if found else (text, b"", b"")


def _kind(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()
