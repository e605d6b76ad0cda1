"""The bank's host as the proof needs it: it says yes to everything, and remembers what was keyed.

It runs in the proof's own process, which is not searched: the bank is who may know.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from engine.dialogue.graph import Flow, Service

_VALUES = {"money": "12.50 EUR", "date": "2030-01-15", "time": "10:30", "digits": "77"}


@dataclass
class AgreeingBank:
    """What it answers, and what it was told."""

    answers: Mapping[str, Mapping[str, str]]
    """Values by operation."""

    told: set[str] = field(default_factory=set)
    """Secrets that came, whole."""

    @classmethod
    @contextlib.contextmanager
    def open(cls, flow: Flow) -> Iterator[tuple[AgreeingBank, str]]:
        """Answer for a flow's services; the bank and its address."""
        bank = cls(_answers(flow))
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(bank))
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield bank, f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def ask(self, operation: str, body: bytes) -> Mapping[str, Any]:
        """Take a question."""
        for line in body.partition(b"\n")[2].splitlines():
            _, _, digits = line.partition(b"\0")
            self.told.add(digits.decode("ascii", "replace"))
        return {"outcome": "ok", "values": dict(self.answers.get(operation, {}))}


def _answers(flow: Flow) -> dict[str, dict[str, str]]:
    texts = " ".join(text for node in flow.nodes.values() for prompt in node.prompts for text in prompt.texts.values())
    services = [node for node in flow.nodes.values() if isinstance(node, Service)]
    return {node.operation: {str(slot): _value(str(slot), texts) for slot in node.fills} for node in services}


def _value(slot: str, texts: str) -> str:
    """One that the flow's prompts can say."""
    return next((value for kind, value in _VALUES.items() if f"{{{slot}:{kind}}}" in texts), "all is well")


def _handler(bank: AgreeingBank) -> type[BaseHTTPRequestHandler]:
    class Operations(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Answer."""
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = json.dumps(bank.ask(self.path.rpartition("/")[2], body)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Operations
