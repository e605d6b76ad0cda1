"""What the bank's host is sent, octet for octet, and everything it may do wrong."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator

import pytest

from engine.core.call import CallId
from engine.core.errors import ConfigError, HostError
from engine.core.secrets import SecretDigits
from engine.core.units import Seconds
from engine.dialogue.graph import SlotName
from engine.runtime.host import Host, HostAddress, Reply

CALL = CallId("c1")
OK = b'{"outcome": "ok", "values": {"balance": "12.50 EUR"}}'


def answer(body: bytes = OK, status: bytes = b"200 OK") -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)


class Bank:
    """Reads one request to its end, says what it was told to."""

    def __init__(self, says: bytes) -> None:
        self._says = says
        self.head = b""
        self.body = b""
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in self.head.split(b"\r\n") if line.lower().startswith(b"content-length"))
        self.body = await reader.readexactly(int(length.split(b":")[1]))
        writer.write(self._says)
        writer.close()


@contextlib.asynccontextmanager
async def bank(says: bytes = answer()) -> AsyncIterator[Bank]:
    opened = Bank(says)
    server = await asyncio.start_server(opened.serve, "127.0.0.1", 0)
    opened.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield opened


def keyed(digits: bytes) -> SecretDigits:
    secret = SecretDigits()
    for digit in digits:
        secret.push(digit)
    return secret


async def test_a_question_is_a_post_of_json_with_the_token() -> None:
    async with bank() as host:
        reply = await Host(HostAddress(host.url, "s3cret")).ask(CALL, "account_balance", {"city": "Zürich"})

    assert reply == Reply(outcome="ok", values={"balance": "12.50 EUR"})
    head = host.head.split(b"\r\n")
    assert head[0] == b"POST /operations/account_balance HTTP/1.1"
    assert b"Authorization: Bearer s3cret" in head
    assert b"Content-Type: application/json" in head
    assert json.loads(host.body) == {"call_id": "c1", "arguments": {"city": "Zürich"}}


async def test_secrets_go_in_a_form_that_is_written_without_a_string_of_them() -> None:
    card, pin = keyed(b"4539578763621486"), keyed(b"1234")
    secrets = {SlotName("card_number"): card, SlotName("pin"): pin}
    async with bank() as host:
        await Host(HostAddress(host.url)).ask(CALL, "verify", {}, secrets)

    assert b"Content-Type: application/x-callwright" in host.head
    assert host.body == b'{"call_id":"c1","arguments":{}}\ncard_number\x004539578763621486\npin\x001234\n'
    assert bytes(pin.reveal()) == b"1234"  # whoever made them closes them


async def test_an_operation_can_not_lead_elsewhere() -> None:
    async with bank() as host:
        await Host(HostAddress(f"{host.url}/adapter/")).ask(CALL, "../../admin?x=1", {})

    assert host.head.startswith(b"POST /adapter/operations/..%2F..%2Fadmin%3Fx%3D1 HTTP/1.1\r\n")


async def test_interim_answers_are_passed_over() -> None:
    async with bank(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + answer()) as host:
        assert (await Host(HostAddress(host.url)).ask(CALL, "x", {})).outcome == "ok"


@pytest.mark.parametrize(
    ("says", "complaint"),
    [
        (answer(status=b"500 Oh"), "expected status 200 for 'x', found 500"),
        (answer(b"not json"), "expected an outcome and values for 'x', found 1 faults"),
        (answer(b'{"outcome": "ok", "values": {"balance": 12.5}}'), "found 1 faults"),
        (answer(b'{"outcome": "ok", "more": 1}'), "found 1 faults"),
        (answer(b" " * 70_000), "expected an answer of at most 65536 bytes, found more"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "expected an answer to 'x', found RemoteProtocolError"),
        (b"", "expected an answer to 'x', found RemoteProtocolError"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}", "expected an answer to 'x', found RemoteProtocolError"),
    ],
)
async def test_an_answer_we_do_not_understand_is_the_hosts_fault_and_not_quoted(says: bytes, complaint: str) -> None:
    async with bank(says) as host:
        with pytest.raises(HostError, match=complaint) as caught:
            await Host(HostAddress(host.url)).ask(CALL, "x", {})

    assert "balance" not in str(caught.value)


async def test_a_host_that_does_not_answer_in_time_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = Host(HostAddress(f"http://127.0.0.1:{silent.getsockname()[1]}", within=Seconds(0.05)))

        with pytest.raises(HostError, match=r"expected an answer to 'x' within 0.05 s, found none"):
            await host.ask(CALL, "x", {})


async def test_a_host_that_is_not_there_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]

    with pytest.raises(HostError, match="found ConnectionRefusedError"):
        await Host(HostAddress(f"http://127.0.0.1:{port}")).ask(CALL, "x", {})


@pytest.mark.parametrize("url", ["", "bank.example", "ftp://bank.example", "http://"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match=r"host.url: expected http://host:port, found"):
        Host(HostAddress(url))
