"""Waits for what sends no event, such as a thread of a job that begins to wait."""

import threading
from collections.abc import Callable

LIMIT_S = 60.0
POLL_S = 0.01


def until(condition: Callable[[], object]) -> None:
    """Polls until the condition holds."""
    pause, left = threading.Event(), int(LIMIT_S / POLL_S)
    while not condition():
        pause.wait(POLL_S)
        left -= 1
        assert left, "it did not come"
