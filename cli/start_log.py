"""Starts the log of a process that the command runs."""

from cli.console import EXIT_USAGE, fail
from service.monitoring.log_settings import LogSettingsError
from service.monitoring.logging import configure_logging


def start_log() -> None:
    """Configures the log by `ATTRIBUTION_LOG_*`. A bad value ends the process; the message names its variable."""
    try:
        configure_logging()
    except LogSettingsError as error:
        fail(str(error), EXIT_USAGE)
