"""How the log looks: lines for people on a terminal, JSON otherwise, or as the settings say; always to stderr.

Nothing that others have chosen reaches a terminal raw: every character of a value that is not printable is escaped,
also in the log of libraries, which goes through the same processors.
"""

import logging
import sys
from collections.abc import Mapping, Sequence
from typing import TextIO

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

from schemas.printable import printable, printable_lines
from service.monitoring.log_settings import read_log_settings

SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)
TRACEBACK = "exception"  # the key of a formatted traceback, which has lines of its own


class LibraryHandler(logging.StreamHandler[TextIO]):
    """The handler that `configure_logging` adds; a second call replaces it."""


def configure_logging() -> None:
    """Configure the log of this process. Bodies, query values and credentials are never logged.

    Raises:
        LogSettingsError: `ATTRIBUTION_LOG_LEVEL` or `ATTRIBUTION_LOG_FORMAT` holds a bad value.
    """
    settings = read_log_settings()
    renderer: Processor = structlog.processors.JSONRenderer()
    if settings.format == "text" or (settings.format == "auto" and sys.stderr.isatty()):
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    # `format_exc_info` shows no variables, which hold headers and bodies.
    rendering: list[Processor] = [structlog.processors.format_exc_info, escape_values, renderer]
    structlog.configure(
        processors=[*SHARED, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(settings.level_number),
        # One write for a line and its end, so that those of several threads, or of libraries, are never joined.
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    _configure_libraries(rendering, settings.level_number)


def escape_values(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """A processor that escapes what is not printable in every name and value, at any depth."""
    return {
        printable(str(name)): printable_lines(value)
        if name == TRACEBACK and isinstance(value, str)
        else _escaped(value)
        for name, value in event.items()
    }


def _escaped(value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {printable(str(name)): _escaped(one) for name, one in value.items()}
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, str | bytes | bytearray):
        return [_escaped(one) for one in value]
    return printable(value if isinstance(value, str) else repr(value))


def _configure_libraries(rendering: Sequence[Processor], level: int) -> None:
    """Warnings and errors that libraries log through `logging`, in the same form."""
    formatter = structlog.stdlib.ProcessorFormatter(
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        foreign_pre_chain=[*SHARED, structlog.stdlib.add_logger_name],
    )
    root = logging.getLogger()
    for earlier in [handler for handler in root.handlers if isinstance(handler, LibraryHandler)]:
        root.removeHandler(earlier)
    handler = LibraryHandler(sys.stderr)
    handler.setFormatter(formatter)
    handler.setLevel(level)
    root.addHandler(handler)
