"""A latch opens once, and whoever waits for it goes on."""

import threading

import pytest

from workers.engine.latch import Latch


def test_a_thread_waits_until_it_opens() -> None:
    latch, passed = Latch(), threading.Event()
    waits = threading.Thread(target=lambda: (latch.wait(), passed.set()))
    waits.start()
    assert not latch.is_set()
    assert not passed.is_set()
    latch.set()
    assert passed.wait(30)
    assert latch.is_set(), "it stays open, also for those who only look"
    waits.join(30)


def test_who_comes_late_does_not_wait() -> None:
    latch = Latch()
    latch.set()
    latch.wait()
    assert latch.is_set()


def test_it_opens_once() -> None:
    latch = Latch()
    latch.set()
    with pytest.raises(RuntimeError):
        latch.set()
