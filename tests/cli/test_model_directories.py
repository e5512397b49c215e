"""Where models are looked for."""

import os
from pathlib import Path

import pytest

from cli.model_directories import BESIDE_PACKAGES, NoModels, model_directories


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, and no variable set."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ATTRIBUTION_MODELS", raising=False)
    return tmp_path


def repository(folder: Path) -> Path:
    model = folder / "toy"
    model.mkdir(parents=True)
    (model / "model.toml").touch()
    return folder


def test_what_is_given_comes_first(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given, named = repository(here / "given"), repository(here / "named")
    repository(here / "models")
    monkeypatch.setenv("ATTRIBUTION_MODELS", str(named))
    assert model_directories([given]) == [given]
    assert model_directories(None) == [named]


def test_the_variable_may_name_several(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = repository(here / "one"), repository(here / "two")
    monkeypatch.setenv("ATTRIBUTION_MODELS", f"{one}{os.pathsep}{two}")
    assert model_directories(None) == [one, two]


def test_then_the_folder_here_then_the_one_that_ships(here: Path) -> None:
    assert model_directories(None) == [BESIDE_PACKAGES]
    assert model_directories([repository(here / "models")]) == model_directories(None)


def test_an_absent_directory_is_named(here: Path) -> None:
    with pytest.raises(NoModels, match=r"absent is not a directory"):
        model_directories([here / "absent"])


def test_a_directory_without_models_is_named(here: Path) -> None:
    with pytest.raises(NoModels, match=r"no folder of .* holds a model\.toml"):
        model_directories([here])


def test_a_model_is_not_its_repository(here: Path) -> None:
    folder = repository(here / "models") / "toy"
    with pytest.raises(NoModels, match="give the directory that holds it"):
        model_directories([folder])
