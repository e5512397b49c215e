"""The settings of a worker, from its environment."""

import os
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError

from workers.settings import WorkerSettings


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("ATTRIBUTION_"):
            monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("8GiB", 8 << 30),
        ("1.5 GiB", 3 << 29),
        ("500MB", 500_000_000),
        ("1073741824", 1 << 30),
        ("1b", 1),
        ("", None),
        (" ", None),
    ],
)
def test_memory_for_models(monkeypatch: pytest.MonkeyPatch, text: str, size: int | None) -> None:
    monkeypatch.setenv("ATTRIBUTION_MODEL_MEMORY", text)
    assert WorkerSettings().model_memory == size


@pytest.mark.parametrize("text", ["0", "-5", "much", "8 parsecs", "GiB"])
def test_what_is_no_size_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("ATTRIBUTION_MODEL_MEMORY", text)
    with pytest.raises(ValidationError) as refused:
        WorkerSettings()
    assert [error["loc"] for error in refused.value.errors()] == [("model_memory",)]


def test_directories_are_separated_as_in_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTRIBUTION_MODELS", os.pathsep.join(["one", "two", ""]))
    assert WorkerSettings().models == [Path("one"), Path("two")]


def test_settings_do_not_change() -> None:
    settings = WorkerSettings()
    with pytest.raises(ValidationError, match="frozen"):
        settings.threads = 3  # type: ignore[misc]
    assert settings.model_memory is None


@pytest.mark.parametrize(("batch_rows", "live"), [(None, 32), (4, 16), (100, 200)])
def test_live_jobs_fill_two_passes(batch_rows: int | None, live: int) -> None:
    assert WorkerSettings(device="cpu", batch_rows=batch_rows).live_jobs() == live


def test_the_device_is_one_of_this_machine() -> None:
    assert WorkerSettings(device="cpu").torch_device() == torch.device("cpu")
    absent = f"cuda:{torch.cuda.device_count()}"
    with pytest.raises(ValidationError, match=f"there is no device {absent}"):
        WorkerSettings(device=absent)


@pytest.mark.parametrize(
    ("text", "names"), [("", set()), (" , ", set()), ("one", {"one"}), (" one, two@2 ,,one", {"one", "two@2"})]
)
def test_the_models_to_serve(monkeypatch: pytest.MonkeyPatch, text: str, names: set[str]) -> None:
    monkeypatch.setenv("ATTRIBUTION_SERVE", text)
    assert WorkerSettings().serve == names


@pytest.mark.parametrize(("text", "group"), [("", "default"), ("gpu", "gpu"), ("a.b-c_1", "a.b-c_1"), ("g" * 63,) * 2])
def test_the_name_of_a_group(monkeypatch: pytest.MonkeyPatch, text: str, group: str) -> None:
    monkeypatch.setenv("ATTRIBUTION_GROUP", text)
    assert WorkerSettings().group == group


@pytest.mark.parametrize("text", ["two words", "a/b", "-a", "a-", "g" * 64, 'a"b', "a\nb"])
def test_what_is_no_name_of_a_group(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("ATTRIBUTION_GROUP", text)
    with pytest.raises(ValidationError) as refused:
        WorkerSettings()
    assert [error["loc"] for error in refused.value.errors()] == [("group",)]
