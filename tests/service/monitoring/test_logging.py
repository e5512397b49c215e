"""The log: its form, and that nothing of a client's reaches a terminal raw."""

import io
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from service.monitoring.log_settings import LogSettingsError
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


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize(
    ("level", "shown"),
    [
        ("debug", ["debug", "info", "warning", "error"]),
        ("INFO", ["info", "warning", "error"]),
        (None, ["warning", "error"]),
        ("", ["warning", "error"]),
        ("error", ["error"]),
    ],
)
def test_the_level(
    level: str | None, shown: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ATTRIBUTION_LOG_LEVEL", raising=False)
    if level is not None:
        monkeypatch.setenv("ATTRIBUTION_LOG_LEVEL", level)
    configure_logging()
    for name in ("debug", "info", "warning", "error"):
        getattr(structlog.get_logger("test"), name)(f"a line of {name}")
    logging.getLogger("library").warning("of a library")
    printed = capsys.readouterr().err
    assert [name for name in ("debug", "info", "warning", "error") if f"a line of {name}" in printed] == shown
    assert ("of a library" in printed) == ("warning" in shown)


@pytest.mark.usefixtures("restored")
def test_the_format_may_be_chosen(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTRIBUTION_LOG_FORMAT", "text")
    configure_logging()
    structlog.get_logger("test").warning("something", count=3)
    printed = capsys.readouterr().err
    assert "something" in printed
    assert "count=3" in printed
    assert "\x1b" not in printed  # no colours off a terminal


def test_json_on_a_terminal(restored: None, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Terminal()
    monkeypatch.setattr(sys, "stderr", made)
    monkeypatch.setenv("ATTRIBUTION_LOG_FORMAT", "JSON")
    configure_logging()
    structlog.get_logger("test").warning("something", count=3)
    assert '"event": "something"' in made.getvalue()


@pytest.mark.parametrize("variable", ["ATTRIBUTION_LOG_LEVEL", "ATTRIBUTION_LOG_FORMAT"])
def test_a_bad_value_is_named_and_not_repeated(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, "hunter2")
    with pytest.raises(LogSettingsError, match=variable) as raised:
        configure_logging()
    assert "hunter2" not in str(raised.value)


class Writes(io.StringIO):
    """Keeps what each call has written, as a stream without a buffer would pass it on."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []

    def write(self, text: str) -> int:
        self.parts.append(text)
        return len(text)


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_line_and_its_end_are_one_write(restored: None, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    """Whatever another thread, a library or another process writes then stands before or after it."""
    monkeypatch.setattr(sys, "stderr", made := Writes())
    monkeypatch.setenv("ATTRIBUTION_LOG_FORMAT", form)
    configure_logging()
    structlog.get_logger("one").warning("first")
    logging.getLogger("library").warning("second")
    assert len(made.parts) == 2
    assert [part.count("\n") for part in made.parts] == [1, 1]
    assert all(part.endswith("\n") for part in made.parts)
