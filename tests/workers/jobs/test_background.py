"""Threads that end by themselves are noticed and named."""

import threading
from types import SimpleNamespace
from typing import Any, cast

import pytest
import structlog

from workers.jobs.background import BackgroundThreads, log_deaths
from workers.main import _claim_until

LIMIT_S = 30.0


def thread(run: Any) -> threading.Thread:
    return threading.Thread(target=run, daemon=True, name="one of ours")


@pytest.fixture
def door() -> Any:
    door = threading.Event()
    yield door
    door.set()


def test_a_thread_that_ends_is_named(door: threading.Event) -> None:
    models: Any = SimpleNamespace(alive=True)
    short, long = thread(lambda: None), thread(lambda: door.wait(LIMIT_S))
    background = BackgroundThreads(models, {"reporter": short, "listener": long})
    background.start()
    short.join(LIMIT_S)
    assert background.dead() == ["reporter"]
    models.alive = False
    assert background.dead() == ["reporter", "an engine or the loading thread"]


def test_the_death_of_a_thread_is_logged_without_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)  # put back at the end
    log_deaths()

    def die() -> None:
        raise ValueError("the client's own words")

    with structlog.testing.capture_logs() as logs:
        dying = thread(die)
        dying.start()
        dying.join(LIMIT_S)
    assert (logs[0]["event"], logs[0]["thread"]) == ("thread died", "one of ours")
    assert "ValueError" in logs[0]["exception"]
    assert "words" not in logs[0]["exception"].replace('raise ValueError("the client\'s own words")', "")


def test_the_claim_loop_ends_when_a_thread_has_died() -> None:
    dead = thread(lambda: None)
    background = BackgroundThreads(cast(Any, SimpleNamespace(alive=True)), {"reporter": dead})
    background.start()
    dead.join(LIMIT_S)
    nothing: Any = SimpleNamespace(admission=None)
    assert not _claim_until(threading.Event(), nothing, nothing, nothing, background)
