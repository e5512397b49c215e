"""The files of the cache: what is read back, what is no entry, and writers at once."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.workers.models.measurements.entries import KEY, measured
from workers.models.measurements import cache as cache_module
from workers.models.measurements.cache import MeasurementCache
from workers.models.tuning import MAX_MEASURED_BYTES, MEASURED_WRITE_S


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "here"


@pytest.fixture
def cache(directory: Path) -> MeasurementCache:
    return MeasurementCache(directory)


def test_what_is_written_is_read(cache: MeasurementCache, directory: Path) -> None:
    assert cache.read(KEY) is None
    cache.write(measured(batch_rows=5))
    assert cache.read(KEY) == measured(batch_rows=5)
    cache.write(measured(batch_rows=6))
    assert cache.read(KEY) == measured(batch_rows=6)
    assert cache.read("cd" * 32) is None
    assert directory.stat().st_mode & 0o777 == 0o700
    (file,) = directory.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    cache.discard(KEY)
    assert (list(directory.iterdir()), cache.read(KEY)) == ([], None)


def test_nothing_is_made_before_something_is_written(cache: MeasurementCache, directory: Path) -> None:
    assert cache.read(KEY) is None
    cache.discard(KEY)
    assert not directory.exists()


def _text(text: bytes) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_bytes(text)
        path.chmod(0o600)

    return write


def _linked(path: Path) -> None:
    other = path.parent / "other.json"
    other.write_text(measured().model_dump_json())
    path.symlink_to(other)


def _writable_by_others(path: Path) -> None:
    path.write_text(measured().model_dump_json())
    path.chmod(0o666)


def _of_another_key(path: Path) -> None:
    _text(measured(key="cd" * 32).model_dump_json().encode())(path)


WRONG: dict[str, Callable[[Path], None]] = {
    "empty": _text(b""),
    "cut": _text(measured().model_dump_json().encode()[:40]),
    "bytes": _text(bytes(range(256))),
    "another document": _text(b'{"key": 1}'),
    "unknown field": _text(measured().model_dump_json().encode()[:-1] + b', "more": 1}'),
    "too many rows": _text(measured().model_dump_json().replace('"batch_rows":8', '"batch_rows":99999999').encode()),
    "unknown step": _text(measured().model_dump_json().replace("fold_batch_norms", "eval").encode()),
    "deep": _text(b"[" * 200_000),
    "large": _text(b" " * (MAX_MEASURED_BYTES + 1)),
    "another key": _of_another_key,
    "a link": _linked,
    "a pipe": lambda path: os.mkfifo(path, 0o600),
    "a folder": lambda path: path.mkdir(),
    "writable by others": _writable_by_others,
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_no_entry(cache: MeasurementCache, directory: Path, wrong: str) -> None:
    directory.mkdir(parents=True)
    WRONG[wrong](directory / f"{KEY}.json")
    with capture_logs() as logs:
        assert cache.read(KEY) is None
    assert [entry["event"] for entry in logs] in ([], ["measurements cannot be read"])


@pytest.mark.parametrize("wrong", [name for name in WRONG if name != "a folder"])
def test_what_is_no_entry_is_replaced(cache: MeasurementCache, directory: Path, wrong: str) -> None:
    directory.mkdir(parents=True)
    WRONG[wrong](directory / f"{KEY}.json")
    cache.write(measured())
    assert cache.read(KEY) == measured()
    assert (directory / f"{KEY}.json").stat().st_mode & 0o777 == 0o600


def test_a_directory_that_cannot_be_made_is_logged(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with capture_logs() as logs:
        MeasurementCache(tmp_path / "file" / "kept").write(measured())
    assert [entry["event"] for entry in logs] == ["measurements cannot be kept"]


def test_what_is_too_large_is_not_kept(cache: MeasurementCache, directory: Path) -> None:
    cache.write(measured(mixing_layers={"layer": "x" * MAX_MEASURED_BYTES}))
    assert not directory.exists()


def test_writers_at_once_leave_one_whole_entry(cache: MeasurementCache, directory: Path) -> None:
    start = threading.Barrier(8)
    read = []

    def write(rows: int) -> None:
        start.wait()
        for _ in range(20):
            cache.write(measured(batch_rows=rows))
            read.append(cache.read(KEY))

    threads = [threading.Thread(target=write, args=(rows,)) for rows in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read) == 160
    assert {entry and entry.batch_rows for entry in read} <= set(range(1, 9))
    assert [path.name for path in directory.iterdir()] == [f"{KEY}.json"]


def test_the_oldest_entries_go(monkeypatch: pytest.MonkeyPatch, cache: MeasurementCache, directory: Path) -> None:
    monkeypatch.setattr(cache_module, "MAX_MEASURED_FILES", 3)
    keys = [f"{number:064x}" for number in range(5)]
    for age_s, key in zip((50, 40, 30, 20), keys, strict=False):
        cache.write(measured(key=key))
        path = directory / f"{key}.json"
        os.utime(path, (path.stat().st_mtime - age_s, path.stat().st_mtime - age_s))
    left = directory / ".measured-left"
    left.write_text("")
    os.utime(left, (0, left.stat().st_mtime - 2 * MEASURED_WRITE_S))
    begun, other = directory / ".measured-begun", directory / "notes.txt"
    begun.write_text("")
    other.write_text("")
    cache.write(measured(key=keys[4]))
    names = {path.name for path in directory.iterdir()}
    assert names == {*(f"{key}.json" for key in keys[2:]), begun.name, other.name}
