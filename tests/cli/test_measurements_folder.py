"""`serve` keeps measurements for its next start, where this user alone can write them."""

import os
from pathlib import Path

import pytest

from cli.measurements_folder import measurements_folder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_the_user_has_a_folder_that_outlives_the_service(cache: Path) -> None:
    with measurements_folder({}) as folder:
        assert folder == cache / "attribution" / "measurements"
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "kept.json").write_text("{}")
    with measurements_folder({}) as again:
        assert (again / "kept.json").read_text() == "{}"


def test_the_operators_folder_comes_first_and_is_not_made(cache: Path, tmp_path: Path) -> None:
    with measurements_folder({"ATTRIBUTION_MEASUREMENTS": str(tmp_path / "theirs")}) as folder:
        assert folder == tmp_path / "theirs"
    assert not folder.exists()
    assert not cache.exists()


def test_a_cache_that_is_a_file_gives_a_folder_of_the_service_alone(cache: Path) -> None:
    cache.write_text("no folder")
    with measurements_folder({}) as folder:
        assert folder.is_dir()
        assert not folder.is_relative_to(cache)
    assert not folder.exists()


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="the system has no such modes")
def test_a_folder_that_others_may_write_is_not_used(cache: Path) -> None:
    theirs = cache / "attribution" / "measurements"
    theirs.mkdir(parents=True)
    theirs.chmod(0o777)
    with measurements_folder({}) as folder:
        assert folder != theirs
    assert not folder.exists()
