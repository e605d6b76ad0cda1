"""Encrypted sound, received: SRTP (RFC 3711) with keys from the session description (SDES, RFC 4568). Pure.

The two suites that every SBC has: AES in counter mode with 128 bits, and an SHA-1 tag of 80 or 32 bits. What a sender says of its
session beyond a key (no encryption, other key rates) is refused with its line. Packets whose tag is wrong are ``None``, like
everything else that is no packet. We never send, so nothing is ever encrypted here; RTCP is not opened, only seen to come.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

TAG_BYTES: Final = {"AES_CM_128_HMAC_SHA1_80": 10, "AES_CM_128_HMAC_SHA1_32": 4}
KEY_BYTES: Final = 16
SALT_BYTES: Final = 14
_AUTHENTIC_BYTES: Final = 20
_MOST_SENDERS: Final = 16
_HEAD: Final = 12  # bytes of an RTP header without contributing sources
_HALF: Final = 1 << 15  # of the sequence numbers
_LINE: Final = re.compile(r"([0-9]{1,9}) ([A-Z0-9_]+) inline:([A-Za-z0-9+/=]{40})(?:\|[0-9^]+)?(?:\|[0-9]+:([0-9]{1,3}))?")


@dataclass(frozen=True, slots=True, repr=False)
class Key:
    """A master key, as one ``a=crypto`` line has it."""

    tag: str
    """The line's number, for the answer."""

    suite: str
    secret: bytes
    """Key and salt."""

    mki: int = 0
    """Bytes of the key's name in each packet."""

    def __repr__(self) -> str:
        return f"Key({self.suite}, •)"


def read_key(attributes: Sequence[str]) -> Key | None:
    """The first key that we can use among ``a=crypto`` lines, or ``None``."""
    for attribute in attributes:
        name, _, value = attribute.partition(":")
        found = _LINE.fullmatch(value.strip()) if name == "crypto" else None
        if found is None or found[2] not in TAG_BYTES:
            continue
        try:
            secret = base64.b64decode(found[3], validate=True)
        except binascii.Error:
            continue
        if len(secret) == KEY_BYTES + SALT_BYTES:
            return Key(found[1], found[2], secret, int(found[4] or 0))
    return None


def answer_key(offered: Key, secret: bytes) -> str:
    """The line of our answer: what we would send, if we did, would be under a key of our own."""
    return f"a=crypto:{offered.tag} {offered.suite} inline:{base64.b64encode(secret).decode()}"


@dataclass(slots=True)
class _Sender:
    """How far one sender has come: 16 bits of each number are in its packets, the rest is counted (RFC 3711 section 3.3.1)."""

    rollovers: int = 0
    highest: int = 0


@dataclass(slots=True, repr=False)
class Opener:
    """Opens the packets of one line."""

    key: Key
    _cipher: algorithms.AES = field(init=False)
    _authentic: bytes = field(init=False)
    _salt: int = field(init=False)
    _senders: dict[int, _Sender] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._cipher = algorithms.AES(self._derived(0, KEY_BYTES))
        self._authentic = self._derived(1, _AUTHENTIC_BYTES)
        self._salt = int.from_bytes(self._derived(2, SALT_BYTES), "big")

    def open(self, octets: bytes) -> bytes | None:
        """Give the RTP packet, or ``None`` where it was not sent by whoever has the key."""
        tag_at = len(octets) - TAG_BYTES[self.key.suite]
        end = tag_at - self.key.mki
        begin = _payload(octets)
        if begin is None or begin > end:
            return None
        sequence, ssrc = int.from_bytes(octets[2:4], "big"), int.from_bytes(octets[8:12], "big")
        sender = self._senders.get(ssrc, _Sender(highest=sequence))
        rollovers = _guessed(sender, sequence)
        signed = octets[:end] + (rollovers % (1 << 32)).to_bytes(4, "big")
        tag = hmac.digest(self._authentic, signed, "sha1")[: len(octets) - tag_at]
        if not hmac.compare_digest(tag, octets[tag_at:]):
            return None
        self._advance(ssrc, sender, rollovers, sequence)
        start = (self._salt << 16) ^ (ssrc << 64) ^ ((rollovers << 16 | sequence) << 16)
        return octets[:begin] + self._xored(octets[begin:end], start)

    def _advance(self, ssrc: int, sender: _Sender, rollovers: int, sequence: int) -> None:
        sender.rollovers, sender.highest = max((rollovers, sequence), (sender.rollovers, sender.highest))
        self._senders[ssrc] = sender
        if len(self._senders) > _MOST_SENDERS:
            del self._senders[next(iter(self._senders))]

    def _xored(self, octets: bytes, start: int) -> bytes:
        stream = Cipher(self._cipher, modes.CTR(start.to_bytes(16, "big"))).encryptor()
        return stream.update(octets)

    def _derived(self, label: int, length: int) -> bytes:
        """RFC 3711 section 4.3.1, with a key derivation rate of zero."""
        master, salt = self.key.secret[:KEY_BYTES], int.from_bytes(self.key.secret[KEY_BYTES:], "big")
        start = (salt ^ (label << 48)) << 16
        stream = Cipher(algorithms.AES(master), modes.CTR(start.to_bytes(16, "big"))).encryptor()
        return stream.update(bytes(length))


def _payload(octets: bytes) -> int | None:
    """Where the encrypted part begins: the header, its sources and its extension are sent in the open."""
    if len(octets) < _HEAD:
        return None
    begin = _HEAD + 4 * (octets[0] & 0x0F)
    if octets[0] & 0x10:
        if len(octets) < begin + 4:
            return None
        begin += 4 + 4 * int.from_bytes(octets[begin + 2 : begin + 4], "big")
    return begin


def _guessed(sender: _Sender, sequence: int) -> int:
    """How often the numbers had begun anew when this packet was sent."""
    if sender.highest < _HALF:
        return sender.rollovers - 1 if sequence - sender.highest > _HALF and sender.rollovers else sender.rollovers
    return sender.rollovers + 1 if sender.highest - _HALF > sequence else sender.rollovers
