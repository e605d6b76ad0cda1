"""Lets packets into a socket from named networks only: the kernel drops the others before anybody reads them.

A stranger gets no answer at all, over UDP, TCP or TLS: no scanner learns that somebody is here, and no garbage, half-open
connection or slow handshake of his costs us anything. It is a classic BPF program on the socket itself (Linux,
``Documentation/networking/filter.rst``), so it needs no firewall; for TCP newer kernels ask for CAP_NET_ADMIN.
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Final, TypeAlias

from engine.telephony.peers import Network

Instruction: TypeAlias = tuple[int, int, int, int]
"""Code, jump if true, jump if false, constant (``struct sock_filter``)."""

_ATTACH: Final = 26  # SO_ATTACH_FILTER, asm-generic/socket.h
_IP: Final = 0xFFF00000  # SKF_NET_OFF: offsets from here count from the IP header
_LOAD_BYTE, _LOAD_WORD = 0x30, 0x20
_AND, _EQUAL, _RETURN = 0x54, 0x15, 0x06
_WHOLE: Final = 0xFFFFFFFF  # how many bytes of the packet are let in
_SOURCE: Final = {4: 12, 6: 8}  # where the address lies in the IP header


def program(networks: Iterable[Network]) -> tuple[Instruction, ...]:
    """Write the filter: in from one of these, else dropped."""
    told = [step for network in networks for step in _from(network)]
    return (*told, (_RETURN, 0, 0, 0))


def attach(listening: socket.socket, networks: Iterable[Network]) -> None:
    """Put the filter on a socket; connections it accepts inherit it.

    Raises:
        OSError: the kernel does not let us.
    """
    steps = program(networks)
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    listening.setsockopt(socket.SOL_SOCKET, _ATTACH, struct.pack("HP", len(steps), ctypes.addressof(code)))


def bound_to(ports: Collection[int]) -> list[socket.socket]:
    """Copies of this process's own sockets that are bound to one of these ports (a library opened them); close them."""
    found = []
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            copy = socket.socket(fileno=os.dup(int(descriptor.name)))
        except OSError:  # no socket, or the folder's own descriptor
            continue
        address = copy.getsockname() if copy.family in (socket.AF_INET, socket.AF_INET6) else None
        if address is not None and address[1] in ports:
            found.append(copy)
        else:
            copy.close()
    return found


def _from(network: Network) -> Iterator[Instruction]:
    """Return at once where the source lies in the network; fall through to the next where not."""
    words = list(_words(network))
    left = 3 * len(words) + 1  # instructions up to the end of this network's part
    yield _LOAD_BYTE, 0, 0, _IP
    yield _AND, 0, 0, 0xF0
    yield _EQUAL, 0, left, network.version << 4
    for place, (wanted, mask) in enumerate(words):
        left -= 3
        yield _LOAD_WORD, 0, 0, _IP + _SOURCE[network.version] + 4 * place
        yield _AND, 0, 0, mask
        yield _EQUAL, 0, left, wanted
    yield _RETURN, 0, 0, _WHOLE


def _words(network: Network) -> Iterator[tuple[int, int]]:
    """The address and the mask in words of 32 bits, as far as the mask goes."""
    address, mask = network.network_address.packed, network.netmask.packed
    for at in range(0, len(mask), 4):
        pair: tuple[int, int] = struct.unpack(">II", address[at : at + 4] + mask[at : at + 4])
        if pair[1]:
            yield pair
