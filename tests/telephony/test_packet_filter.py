"""The kernel's filter: only packets from named networks reach a socket."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.telephony.peers import Network, networks
from engine.telephony.sip.packet_filter import Instruction, attach, bound_to, program

LOOPBACK = networks(["127.0.0.1/32"])
STRANGER = "127.0.0.2"
_NETWORK_HEADER = 0xFFF00000
V4 = st.builds(lambda bits, mask: ipaddress.ip_network((bits, mask), strict=False), st.integers(0, 2**32 - 1), st.integers(0, 32))
V6 = st.builds(
    lambda bits, mask: ipaddress.IPv6Network((bits, mask), strict=False), st.integers(0, 2**128 - 1), st.integers(0, 128)
)
ADDRESSES = st.ip_addresses()


def lets_in(steps: tuple[Instruction, ...], address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Run the program on a packet's IP header, as the kernel does (``Documentation/networking/filter.rst``)."""
    at = 12 if address.version == 4 else 8
    header = bytes([address.version << 4]) + bytes(at - 1) + address.packed + bytes(16)
    place = value = 0
    while True:
        code, if_true, if_false, constant = steps[place]
        offset = constant - _NETWORK_HEADER
        place += 1
        match code:
            case 0x20:
                value = int.from_bytes(header[offset : offset + 4])
            case 0x30:
                value = header[offset]
            case 0x54:
                value &= constant
            case 0x15:
                place += if_true if value == constant else if_false
            case 0x06:
                return constant != 0


@given(st.lists(V4 | V6, max_size=5), ADDRESSES)
def test_an_address_comes_in_if_one_of_the_networks_holds_it(
    named: list[Network], address: ipaddress.IPv4Address | ipaddress.IPv6Address
) -> None:
    expected = any(network.version == address.version and address in network for network in named)

    assert lets_in(program(named), address) == expected


@given(st.lists(V4 | V6, min_size=1, max_size=5), st.data())
def test_every_networks_own_addresses_come_in(named: list[Network], data: st.DataObject) -> None:
    network = data.draw(st.sampled_from(named))
    address = network[data.draw(st.integers(0, network.num_addresses - 1))]

    assert lets_in(program(named), address)


@pytest.fixture
def udp() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.setblocking(False)
        yield listening


def _send(source: str, to: socket.socket) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sending:
        sending.bind((source, 0))
        sending.sendto(source.encode(), to.getsockname())


def test_a_strangers_datagram_never_arrives(udp: socket.socket) -> None:
    attach(udp, LOOPBACK)
    _send(STRANGER, udp)
    _send("127.0.0.1", udp)

    assert udp.recv(99) == b"127.0.0.1"
    with pytest.raises(BlockingIOError):
        udp.recv(99)


def test_a_stranger_gets_no_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        attach(listening, LOOPBACK)
        with socket.socket() as friend, socket.socket() as stranger:
            friend.connect(listening.getsockname())
            stranger.bind((STRANGER, 0))
            stranger.settimeout(0.2)

            with pytest.raises(TimeoutError):
                stranger.connect(listening.getsockname())


def test_a_copy_of_a_librarys_socket_filters_the_librarys(udp: socket.socket) -> None:
    copies = bound_to({udp.getsockname()[1]})
    for copy in copies:
        with copy:
            attach(copy, LOOPBACK)
    _send(STRANGER, udp)

    assert len(copies) == 1
    with pytest.raises(BlockingIOError):
        udp.recv(99)
