"""Watches the threads that a worker cannot do without: when one ends by itself, the process has to be replaced."""

import threading
from collections.abc import Mapping

import structlog

from workers.engine.error_trace import without_data
from workers.models.pool import ModelPool

log = structlog.get_logger()


class BackgroundThreads:
    """The threads of one worker by name, and those of its models."""

    def __init__(self, models: ModelPool, threads: Mapping[str, threading.Thread]) -> None:
        self._models = models
        self._threads = threads

    def start(self) -> None:
        """Starts them."""
        for thread in self._threads.values():
            thread.start()

    def dead(self) -> list[str]:
        """The names of those that have ended."""
        names = [name for name, thread in self._threads.items() if not thread.is_alive()]
        return names if self._models.alive else [*names, "an engine or the loading thread"]


def log_deaths() -> None:
    """From now on an error that ends a thread is logged: its stack, without values of a client's input."""

    def log_death(death: threading.ExceptHookArgs) -> None:
        name = death.thread.name if death.thread is not None else "unknown"
        if death.exc_value is not None:
            log.critical("thread died", thread=name, exception=without_data(death.exc_value))

    threading.excepthook = log_death
