"""What comes over the wire stands in no log, whatever level somebody asks for."""

from __future__ import annotations

import logging

import pytest

from engine.runtime.logs import set_up_logs


@pytest.mark.parametrize("name", ["websockets.server", "uvicorn.error", "httpcore.http11"])
def test_with_debugging_on_libraries_do_not_write_down_messages(name: str, caplog: pytest.LogCaptureFixture) -> None:
    set_up_logs()
    with caplog.at_level(logging.DEBUG):
        logging.getLogger(name).debug('< TEXT \'{"event":"dtmf","dtmf":{"digit":"4"}}\'')
        logging.getLogger(name).warning("the peer has gone")

    assert [record.getMessage() for record in caplog.records] == ["the peer has gone"]
