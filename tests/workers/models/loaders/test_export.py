"""Saved programs: the methods that work on them equal Captum on the model that was saved; others are refused."""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from schemas import methods as spec
from schemas.methods import METHODS, AnyMethod
from tests.workers.methods.captum_calls import direct, max_relative_difference
from tests.workers.models.loaders.programs import (
    DEVICE,
    SHAPE,
    Net,
    export_model,
    net,
    save_export,
    save_script,
    script_model,
    write,
)
from tests.workers.toys import RunningJob, problem_of
from workers.models.pipeline import load_model
from workers.models.resident import ResidentModel
from workers.repository.model_toml import ModelConfigError

SHARED: list[AnyMethod] = [
    spec.Saliency(),
    spec.IntegratedGradients(n_steps=9),
    spec.SmoothGrad(nt_samples=3),
    spec.Occlusion(sliding_window_shapes=[3, 4, 4]),
    spec.KernelShap(n_samples=20),
]
HOOKED: list[AnyMethod] = [
    spec.LayerGradCam(layer="conv"),
    spec.LayerConductance(layer="hidden", n_steps=9),
    spec.LayerIntegratedGradients(layer="conv", n_steps=9),
    spec.NeuronGradient(layer="hidden", neuron_selector=2),
]


MIXED = """
import torch
from torch import nn


class Mixed(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = torch.jit.load(INNER)
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        return self.head(self.inner(x))


def build():
    return Mixed()
"""


def subject(rows: int = 2) -> Any:
    generator = torch.Generator().manual_seed(1)
    inputs, baselines = (torch.randn(rows, *SHAPE, generator=generator, dtype=torch.float64) for _ in range(2))
    mask = (torch.arange(64).view(1, 1, 8, 8) // 16).expand(1, *SHAPE).contiguous()
    return problem_of([inputs], [2, 0][:rows], [baselines], [baselines], [mask])


@pytest.fixture(scope="module", params=["scripted", "traced"])
def script(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ResidentModel]:
    model = script_model(tmp_path_factory.mktemp("script"), trace=request.param == "traced")
    model.engine.start()
    yield model
    model.engine.stop()


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ResidentModel]:
    model = export_model(tmp_path_factory.mktemp("export"))
    model.engine.start()
    yield model
    model.engine.stop()


@pytest.mark.parametrize("method", SHARED, ids=lambda m: m.name)
def test_torchscript_equals_captum(script: ResidentModel, method: AnyMethod) -> None:
    outcome = RunningJob(script.engine, method, subject(), seed=3).result()
    assert max_relative_difference(outcome.attributions, direct(method, net(), net(), subject(), 3)) <= 1e-9


def test_torchscript_refuses_what_needs_hooks(script: ResidentModel) -> None:
    refused = {one.name: one.reason or "" for one in script.card.methods if not one.supported}
    assert set(refused) == {name for name, cls in METHODS.items() if cls.lane == "solo"}
    assert all("TorchScript takes no hooks" in reason for reason in refused.values())
    assert script.card.layers == []


@pytest.mark.parametrize("method", [*SHARED, *HOOKED], ids=lambda m: m.name)
def test_export_equals_captum(exported: ResidentModel, method: AnyMethod) -> None:
    model = net()
    outcome = RunningJob(exported.engine, method, subject(), seed=3).result()
    assert max_relative_difference(outcome.attributions, direct(method, model, model, subject(), 3)) <= 1e-9


@pytest.mark.parametrize("method", [spec.DeepLift(), spec.GuidedBackprop(), spec.Deconvolution(), spec.Lrp()])
def test_export_equals_the_same_model_from_python(exported: ResidentModel, tmp_path: Path, method: AnyMethod) -> None:
    """Where Captum itself would be wrong on the model: it holds a functional ReLU and overlapping windows."""
    folder = write(tmp_path / "program", "python", "")
    toml = (folder / "model.toml").read_text()
    (folder / "model.toml").write_text(
        toml.replace('file = ""', 'factory = "tests.workers.models.loaders.programs:net"')
    )
    python = load_model(folder, DEVICE)
    python.engine.start()
    ours, theirs = (RunningJob(model.engine, method, subject()).result() for model in (exported, python))
    python.engine.stop()
    assert max_relative_difference(ours.attributions, theirs.attributions) <= 1e-9
    if method.name == "deep_lift":
        assert ours.delta is not None
        assert float(ours.delta.abs().max()) <= 1e-9


def test_an_exported_program_keeps_its_modules(exported: ResidentModel) -> None:
    layers = {layer.name: (layer.type, layer.output_shape) for layer in exported.card.layers}
    assert layers["conv"] == ("Conv2d", [4, 8, 8])
    assert layers["relu"] == ("ReLU", [4, 8, 8])
    assert all(one.supported for one in exported.card.methods)
    assert exported.card.defaults is not None
    assert exported.card.defaults.layer == "relu"


@pytest.mark.parametrize("rows", [1, 3, 11])
def test_an_exported_program_takes_any_batch(exported: ResidentModel, rows: int) -> None:
    inputs = torch.randn(rows, *SHAPE, dtype=torch.float64)
    with torch.no_grad():
        assert torch.allclose(exported.engine.view.module(inputs), net()(inputs), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("batch", "said"),
    [
        (None, "takes batches of 2 only, for its batch dimension was fixed when it was exported"),
        (torch.export.Dim("batch", max=16), "takes batches of 0 to 16 only"),
        (torch.export.Dim("batch", min=2), "takes batches of 2 to"),
    ],
)
def test_a_batch_dimension_that_is_not_free_is_refused(tmp_path: Path, batch: Any, said: str) -> None:
    folder = write(tmp_path / "program", "export", "model.pt2")
    save_export(folder / "model.pt2", net(), batch)
    with pytest.raises(ModelConfigError, match=said) as caught:
        load_model(folder, DEVICE)
    assert "dynamic_shapes" in str(caught.value)


def test_a_program_exported_as_it_trains_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "program", "export", "model.pt2")
    save_export(folder / "model.pt2", Net().double().train())
    with pytest.raises(ModelConfigError, match="in training mode"):
        load_model(folder, DEVICE)


def test_a_program_of_another_shape_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "program", "export", "model.pt2")
    save_export(folder / "model.pt2", net())
    toml = (folder / "model.toml").read_text()
    (folder / "model.toml").write_text(toml.replace("[3, 8, 8]", "[3, 9, 9]"))
    with pytest.raises(ModelConfigError, match=r"takes \[3, 8, 8\] as input 0, not \[3, 9, 9\]"):
        load_model(folder, DEVICE)


class Mischief:
    """Unpickling it would do what it wants."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("was-here"),))


@pytest.mark.parametrize("place", ["data/sample_inputs/model.pt", "data/weights/model.pt", "use_pickle"])
def test_nothing_in_an_exported_program_is_unpickled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = write(tmp_path / "program", "export", "model.pt2")
    save_export(tmp_path / "good.pt2", net())
    pickled = io.BytesIO()
    torch.save(Mischief(), pickled)
    with zipfile.ZipFile(tmp_path / "good.pt2") as good, zipfile.ZipFile(folder / "model.pt2", "w") as bad:
        for name in good.namelist():
            data = good.read(name)
            if place == "use_pickle" and name.endswith("model_weights_config.json"):
                config = json.loads(data)
                config["config"]["conv.weight"]["use_pickle"] = True
                data = json.dumps(config).encode()
            bad.writestr(name, pickled.getvalue() if name.endswith((place, "weight_0")) else data)
        if place == "data/weights/model.pt":
            bad.writestr(f"{good.namelist()[0].partition('/')[0]}/{place}", pickled.getvalue())
    with pytest.raises(ModelConfigError, match=r"pickled|read safely"):
        load_model(folder, DEVICE)
    assert not (tmp_path / "was-here").exists()


@pytest.mark.parametrize(
    ("loader", "file", "said"),
    [
        ("torchscript", "../model.pt", "is not inside"),
        ("export", "/etc/passwd", "is not inside"),
        ("torchscript", "missing.pt", "is not in the model's folder"),
        ("export", "missing.pt2", "is not in the model's folder"),
        ("torchscript", "model.toml", "is no TorchScript program"),
        ("export", "model.toml", "cannot be read safely"),
    ],
)
def test_files_that_are_no_programs(tmp_path: Path, loader: str, file: str, said: str) -> None:
    with pytest.raises(ModelConfigError, match=said):
        load_model(write(tmp_path / "program", loader, file), DEVICE)


def test_torchscript_within_a_model_from_python(tmp_path: Path) -> None:
    """Its activations would be passed over in silence; the layers around it can be asked."""
    save_script(tmp_path / "inner.pt", torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU()))
    folder = tmp_path / "mixed"
    folder.mkdir()
    (folder / "model.toml").write_text(
        'name = "mixed"\nfactory = "model.py:build"\n[input]\nkind = "tensor"\nshapes = [[3]]\n'
    )
    (folder / "model.py").write_text(MIXED.replace("INNER", repr(str(tmp_path / "inner.pt"))))
    model = load_model(folder, DEVICE)
    refused = {one.name for one in model.card.methods if not one.supported} - {"guided_grad_cam"}
    assert refused == {name for name, cls in METHODS.items() if cls.rules} - {"guided_grad_cam"}
    assert [layer.name for layer in model.card.layers] == ["head"]
