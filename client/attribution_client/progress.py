"""Progress: a bar of tqdm where that is installed, or a function of the caller's."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, TypeVar

from attribution_client.wire.answers import Comparison, Job

Followed = TypeVar("Followed", Job, Comparison)
Progress = (
    bool | Callable[[Any], None] | None
)  # True: a bar. None: a bar on a terminal. A function: called with changes.
DELAY_S = 0.5  # what ends sooner shows no bar


@contextmanager
def reporting(progress: Progress) -> Iterator[Callable[[Any], None] | None]:
    """What is to be called with each state of a job or a comparison; None where nobody looks."""
    if callable(progress):
        yield progress
        return
    bar = _bar(progress, unit="row")
    if bar is None:
        yield None
        return

    def show(now: Job | Comparison) -> None:
        bar.total = now.progress.total or None
        bar.set_description(now.status, refresh=False)
        bar.update(max(0, now.progress.done - bar.n))

    with bar:
        yield show


@contextmanager
def counting(progress: Progress, total: int | None) -> Iterator[Callable[[], None]]:
    """What is to be called when one more input is done. A function of the caller's gets how many are."""
    done = 0

    def count() -> None:
        nonlocal done
        done += 1
        if callable(progress):
            progress(done)

    bar = None if callable(progress) else _bar(progress, unit="input", total=total)
    if bar is None:
        yield count
        return
    with bar:
        yield bar.update


def _bar(progress: bool | None, **options: Any) -> Any:
    """A bar; None where none is wanted or tqdm is not installed."""
    if progress is False or (progress is None and not sys.stderr.isatty()):
        return None
    try:
        bar = import_module("tqdm").tqdm  # optional
    except ImportError:
        return None
    return bar(leave=False, delay=DELAY_S, **options)
