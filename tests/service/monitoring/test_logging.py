"""The configuration of logging."""

import pytest
import structlog

from service.monitoring.logging import configure_logging


def test_logging_is_json_off_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    before = structlog.get_config()
    try:
        configure_logging()
        structlog.get_logger("test").warning("something", count=3)
    finally:
        structlog.configure(**before)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert '"event": "something"' in printed.err
    assert '"count": 3' in printed.err
