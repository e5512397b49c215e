"""The log: its form, and that nothing of a client's reaches a terminal raw."""

import io
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from service.monitoring.logging import LibraryHandler, configure_logging

ESCAPES = "\x1b[2J\x1b]0;owned\x07\x9b31m\x85\u2028\u202e\x7f\r\nforged line\x00"


class Terminal(io.StringIO):
    """Says that it is one."""

    def isatty(self) -> bool:
        return True

    def plain(self) -> str:
        """What was written, without the colours of the log's own renderer."""
        written = self.getvalue()
        for code in range(100):
            written = written.replace(f"\x1b[{code}m", "")
        return written


@pytest.fixture
def restored() -> Iterator[None]:
    before = structlog.get_config()
    yield
    structlog.configure(**before)
    root = logging.getLogger()
    for handler in [one for one in root.handlers if isinstance(one, LibraryHandler)]:
        root.removeHandler(handler)


@pytest.fixture
def terminal(restored: None, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    made = Terminal()
    monkeypatch.setattr(sys, "stderr", made)
    configure_logging()
    return made


def is_safe(written: str) -> bool:
    return all(line.isprintable() for line in written.split("\n"))


@pytest.mark.usefixtures("restored")
def test_logging_is_json_off_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging()
    structlog.get_logger("test").warning("something", count=3, model=ESCAPES)
    logging.getLogger("library").warning("odd %s", "x")
    printed = capsys.readouterr()
    assert printed.out == ""
    assert '"event": "something"' in printed.err
    assert '"count": 3' in printed.err
    assert '"event": "odd x"' in printed.err
    assert is_safe(printed.err)
    assert printed.err.count("\n") == 2


@pytest.mark.parametrize("value", [ESCAPES, [ESCAPES], {ESCAPES: {ESCAPES}}, ESCAPES.encode(), ValueError(ESCAPES)])
def test_no_value_reaches_a_terminal_raw(terminal: Terminal, value: Any) -> None:
    structlog.get_logger("test").warning(ESCAPES, model=value, **{ESCAPES: value})
    assert terminal.plain().count("\n") == 1
    assert is_safe(terminal.plain())


def test_no_traceback_reaches_a_terminal_raw(terminal: Terminal) -> None:
    try:
        raise ValueError(ESCAPES) from KeyError(ESCAPES)
    except ValueError:
        structlog.get_logger("test").exception("defect", route=ESCAPES)
        logging.getLogger("library").exception("odd %s", ESCAPES)
    assert is_safe(terminal.plain())
    assert "\n  Traceback" in terminal.plain()
    assert "\nforged" not in terminal.plain()


def test_a_second_call_adds_no_second_line(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal)  # again, since pytest puts its own there before the test
    configure_logging()
    logging.getLogger("library").warning("once")
    assert terminal.plain().count("once") == 1
