"""The folders of the model repository."""

from pathlib import Path

import pytest

from schemas.model_key import ModelKey
from workers.repository.folders import (
    UnknownModels,
    check_names,
    chosen_models,
    find_models,
    fingerprint,
    model_folders,
)

TOML = 'name = "{name}"\nversion = "{version}"\nfactory = "m.py:build"\n[input]\nkind = "tensor"\nshapes = [[1]]\n'


def write(directory: Path, folder: str, name: str, version: str = "1") -> Path:
    path = directory / folder
    path.mkdir(parents=True)
    (path / "model.toml").write_text(TOML.format(name=name, version=version))
    return path


def test_folders_of_every_directory_by_path(tmp_path: Path) -> None:
    later, sooner = write(tmp_path / "b", "x", "x"), write(tmp_path / "a", "y", "y")
    (tmp_path / "a" / "no-model").mkdir()
    assert model_folders([tmp_path / "b", tmp_path / "a"]) == [sooner, later]


def test_models_by_what_their_folders_say(tmp_path: Path) -> None:
    first = write(tmp_path, "1-folder", "m", "2")
    second = write(tmp_path, "2-folder", "m", "2")
    broken = tmp_path / "3-broken"
    broken.mkdir()
    (broken / "model.toml").write_text("name = 3\n")
    one, duplicate, failed = find_models([tmp_path])
    assert (one.key, one.folder, one.error) == (ModelKey("m", "2"), first, None)
    assert (duplicate.key, duplicate.folder) == (ModelKey("m", "2.duplicate"), second)
    assert duplicate.error == "another folder has this name and version"
    assert (failed.key, failed.folder) == (ModelKey("3-broken", "1"), broken)
    assert "name" in (failed.error or "")


def test_a_fingerprint_changes_with_files_and_their_names_alone(tmp_path: Path) -> None:
    folder = write(tmp_path, "m", "m")
    before = fingerprint(folder)
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "m.pyc").write_bytes(b"compiled")
    assert fingerprint(folder) == before
    (folder / "weights").write_bytes(b"1")
    changed = fingerprint(folder)
    assert changed != before
    (folder / "weights").rename(folder / "weights-2")
    assert fingerprint(folder) not in (before, changed)


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (set(), ["m@1", "m@2", "n@1"]),
        ({"m"}, ["m@1", "m@2"]),
        ({"m@2"}, ["m@2"]),
        ({"n", "m@1"}, ["m@1", "n@1"]),
    ],
)
def test_models_are_chosen_by_name_and_version(tmp_path: Path, names: set[str], chosen: list[str]) -> None:
    for name, version in (("m", "1"), ("m", "2"), ("n", "1")):
        write(tmp_path, f"{name}-{version}", name, version)
    assert [str(entry.key) for entry in chosen_models([tmp_path], frozenset(names))] == chosen
    check_names([tmp_path], frozenset(names))


@pytest.mark.parametrize("missing", ["x", "m@2", "m@"])
def test_names_that_the_repository_lacks_are_told_with_those_that_it_has(tmp_path: Path, missing: str) -> None:
    write(tmp_path, "a", "m")
    write(tmp_path, "b", "n")
    with pytest.raises(UnknownModels, match=f"no model {missing}; it has: m, n"):
        check_names([tmp_path], frozenset({missing, "n"}))
