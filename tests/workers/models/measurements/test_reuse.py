"""A second load: nothing is measured or proved again, all is as after the first, and what does not hold is not used."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from structlog.testing import capture_logs

from tests.workers.models.measurements.entries import device_with, write_folder
from workers.models import method_support, module_copies, pipeline
from workers.models.measurements.cache import MeasurementCache
from workers.models.measurements.measured import Measured
from workers.models.pipeline import load_model
from workers.models.probes import execution
from workers.models.resident import ResidentModel

REUSED = "measurements reused"
DISPROVED = "kept measurements do not hold, the model is measured anew"
UNUSABLE = "kept measurements cannot be used"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "tiny")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "kept"


def loaded(folder: Path, directory: Path | None) -> tuple[ResidentModel, list[str]]:
    """The model, and the events of its load that are about kept measurements."""
    with capture_logs() as logs:
        model = load_model(folder, device_with(directory))
    return model, [entry["event"] for entry in logs if "measurements" in entry["event"]]


def entry(directory: Path) -> Measured:
    (path,) = directory.iterdir()
    return Measured.model_validate_json(path.read_text())


def rewrite(directory: Path, **changes: Any) -> None:
    kept = entry(directory)
    MeasurementCache(directory).write(Measured.model_validate({**kept.model_dump(), **changes}))


def same(one: ResidentModel, other: ResidentModel) -> bool:
    views = one.engine.view, other.engine.view
    names = [type(view.module).__name__ + type(view.hookable).__name__ for view in views]
    cards = [model.card.model_dump(exclude={"batch_rows"}) for model in (one, other)]  # which is timed anew
    return names[0] == names[1] and cards[0] == cards[1]


def test_the_first_load_measures_and_keeps(folder: Path, directory: Path) -> None:
    model, events = loaded(folder, directory)
    assert events == []
    kept = entry(directory)
    assert "fold_batch_norms" in kept.steps
    assert kept.rewrite is not None
    assert kept.batch_rows == model.engine.batch_rows
    assert kept.layers == model.card.layers
    without, _ = loaded(folder, None)
    assert without.card.digest == model.card.digest


def _must_not_run(*_: Any, **__: Any) -> Any:
    raise AssertionError("measured or proved again")


def test_the_second_load_measures_and_proves_nothing(
    folder: Path, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = loaded(folder, directory)
    for module, name in [
        (pipeline, "tune_rows"),
        (module_copies, "is_faster"),
        (module_copies, "optimize"),
        (module_copies, "make_hookable"),
        (execution, "layers_mix"),
        (method_support, "_find_facts"),
    ]:
        monkeypatch.setattr(module, name, _must_not_run)
    second, events = loaded(folder, directory)
    assert events == [REUSED]
    assert same(first, second)
    x = torch.randn(3, 2, 6, 6, generator=torch.Generator().manual_seed(0))
    ours, theirs = (one.engine.view.optimized(x) for one in (first, second))
    assert torch.equal(ours, theirs)


LIES: dict[str, dict[str, Any]] = {
    "the model has no layers": {"layers": []},
    "methods of another service": {"methods": []},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_measured_anew_and_replaced(folder: Path, directory: Path, lie: str) -> None:
    first, _ = loaded(folder, directory)
    honest = entry(directory)
    rewrite(directory, **LIES[lie])
    second, events = loaded(folder, directory)
    assert events == [DISPROVED]
    assert same(first, second)
    assert entry(directory).layers == honest.layers
    assert entry(directory).methods == honest.methods
    assert loaded(folder, directory)[1] == [REUSED]


def test_a_layer_that_has_another_shape_is_noticed(folder: Path, directory: Path) -> None:
    loaded(folder, directory)
    layers = [layer.model_dump() for layer in entry(directory).layers]
    layers[0]["output_shape"] = [1, 1, 1]
    rewrite(directory, layers=layers)
    assert loaded(folder, directory)[1] == [DISPROVED]


def test_a_copy_that_is_not_equal_is_noticed(folder: Path, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, _ = loaded(folder, directory)
    repeat: Callable[..., Any] = module_copies.repeat_steps

    def spoiled(*arguments: Any) -> Any:
        copied = repeat(*arguments)
        with torch.no_grad():
            next(copied.parameters()).mul_(1.5)
        return copied

    with monkeypatch.context() as patched:
        patched.setattr(module_copies, "repeat_steps", spoiled)
        second, events = loaded(folder, directory)
    assert events == [DISPROVED]
    assert same(first, second)


def test_a_model_that_raises_during_a_check_is_measured_anew(
    folder: Path, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded(folder, directory)
    with monkeypatch.context() as patched:
        patched.setattr(module_copies, "repeat_steps", _must_not_run)
        assert loaded(folder, directory)[1] == [UNUSABLE]
    assert loaded(folder, directory)[1] == [REUSED]


def test_a_damaged_file_is_measured_anew_and_replaced(folder: Path, directory: Path) -> None:
    loaded(folder, directory)
    (path,) = directory.iterdir()
    path.write_bytes(path.read_bytes()[:100])
    assert loaded(folder, directory)[1] == ["measurements cannot be read"]
    assert loaded(folder, directory)[1] == [REUSED]


def test_a_model_whose_rows_mix_runs_alone_and_is_not_kept(folder: Path, directory: Path) -> None:
    text = (folder / "model.py").read_text()
    (folder / "model.py").write_text(text.replace("return self.last(", "x = x - x.mean(0)\n        return self.last("))
    model, events = loaded(folder, directory)
    assert model.card.execution is not None
    assert events == []
    assert not directory.exists()


def test_a_changed_folder_is_another_model(folder: Path, directory: Path) -> None:
    loaded(folder, directory)
    (folder / "model.py").write_text((folder / "model.py").read_text().replace("manual_seed(0)", "manual_seed(7)"))
    assert loaded(folder, directory)[1] == []
    assert len(list(directory.iterdir())) == 2


def test_what_was_interrupted_is_not_kept(folder: Path, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "tune_rows", interrupted)
    with pytest.raises(KeyboardInterrupt):
        load_model(folder, device_with(directory))
    assert not directory.exists()
