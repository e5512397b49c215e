"""How the gateway's log looks: lines for people on a terminal, JSON otherwise; always to stderr."""

import logging
import sys

import structlog


def configure_logging() -> None:
    """Configure structlog for this process. Bodies, query values and credentials are never logged."""
    renderer: structlog.types.Processor
    tty = sys.stderr.isatty()
    plain = structlog.dev.plain_traceback  # the usual one shows variables, and with them headers and bodies
    renderer = structlog.dev.ConsoleRenderer(exception_formatter=plain) if tty else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([] if tty else [structlog.processors.format_exc_info]),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
