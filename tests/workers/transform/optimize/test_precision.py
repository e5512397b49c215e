"""TF32 is off; a reduced precision is the operator's choice for shared passes, with its measured error."""

import copy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save
from torch import Tensor, nn

from schemas.jobs import JobSpec
from schemas.methods import LayerActivation, Saliency, stored_fields
from schemas.precision import Precision
from tests.paths import ROOT
from tests.workers.jobs.claims import claimed
from tests.workers.toys import ToyMlp, ToySegmenter, frozen
from workers.engine.block import Block
from workers.engine.gate import DeviceGate
from workers.engine.passes import Part, run_pass
from workers.engine.precision import forbid_tf32, passes_in, without_tf32
from workers.engine.task import Task
from workers.engine.view import ModelView
from workers.jobs.single import run_single
from workers.models.load import Device, ResidentModel, load_model
from workers.repository.model_toml import ModelConfigError
from workers.transform.optimize.precision import gradient_error, in_precision

CPU = torch.device("cpu")
HALVES: list[Precision] = ["bfloat16", "float16"]
MODEL = """
import torch
from torch import nn

class Table(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(6, 32)
        self.head = nn.Linear(32, 3)
        self.loud = {loud}

    def forward(self, x):
        return self.head(torch.tanh(self.first(x))) * self.loud

def make():
    torch.manual_seed(0)
    return Table()
"""
CONFIG = """
name = "table"
factory = "model.py:make"
[input]
kind = "tensor"
dtype = "{dtype}"
shapes = [[6]]
[runtime]
precision = "{precision}"
"""


def folder(path: Path, precision: str, dtype: str = "float32", loud: float = 1.0) -> Path:
    (path / "model.py").write_text(MODEL.format(loud=loud))
    (path / "model.toml").write_text(CONFIG.format(precision=precision, dtype=dtype))
    return path


def loaded(path: Path) -> ResidentModel:
    return load_model(path, Device(CPU, 1, 16, DeviceGate()))


@pytest.fixture
def tf32() -> Iterator[None]:
    """PyTorch's flags as they are in a new process, and as they were afterwards."""
    before = flags()
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = True, True
    yield
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before


def flags() -> tuple[bool, bool]:
    return torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32


@pytest.mark.usefixtures("tf32")
def test_tf32_is_on_for_a_pass_that_may_use_it_alone() -> None:
    forbid_tf32()
    assert flags() == (False, False)
    with passes_in("tf32"):
        assert flags() == (True, True)
    assert flags() == (False, False)
    for precision in ("float32", *HALVES):
        with passes_in(precision):  # type: ignore[arg-type]
            assert flags() == (False, False)
    with pytest.raises(ZeroDivisionError), passes_in("tf32"):
        raise ZeroDivisionError
    assert flags() == (False, False)


class Watching(nn.Module):
    """Notes the flags forward and backward."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[bool, bool]] = []

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(flags())
        out = x.square().sum(dim=1)
        if out.requires_grad:
            out.register_hook(lambda gradient: self.seen.append(flags()))
        return out


@pytest.mark.usefixtures("tf32")
@pytest.mark.parametrize("precision", ["float32", "tf32"])
def test_a_pass_has_the_flags_of_its_model_both_ways(precision: Precision) -> None:
    forbid_tf32()
    model = Watching()
    block = Block(Task("flags"), "gradient", (torch.ones(2, 3),), (), None)
    run_pass(ModelView(model, model, CPU, precision=precision), "gradient", [Part(block, 0, 2)])
    assert model.seen == [(precision == "tf32",) * 2] * 2
    assert flags() == (False, False)


@pytest.mark.usefixtures("tf32")
def test_nothing_uses_tf32_while_a_proof_runs() -> None:
    with without_tf32():
        assert flags() == (False, False)


@pytest.mark.parametrize("precision", HALVES)
def test_shared_passes_use_the_precision_and_others_do_not(tmp_path: Path, precision: Precision) -> None:
    plain = loaded(folder(tmp_path, "float32"))
    model = loaded(folder(tmp_path, precision))
    assert plain.card.digest != model.card.digest
    assert plain.card.precision is not None
    assert plain.card.precision.model_dump() == {"name": "float32", "gradient_error": None}
    card = model.card.precision
    assert card is not None
    assert card.name == precision
    assert card.gradient_error is not None
    assert 1e-5 < card.gradient_error < 0.05
    found = []
    for one in (plain, model):
        one.engine.start()
        try:
            found.append([run_single(one, claimed(*asked(m))) for m in METHODS])
        finally:
            one.engine.stop()
    for given in found[1]:
        assert given.meta.provenance.precision == card
        assert given.meta.provenance.dtype == "float32"
    for expected in found[0]:
        assert expected.meta.provenance.precision.name == "float32"
    (gradient, layer), (true_gradient, true_layer) = ([a.tensors for a in answers] for answers in (found[1], found[0]))
    assert gradient != true_gradient
    assert layer == true_layer


METHODS = [Saliency(), LayerActivation(layer="first")]


def asked(method: Saliency | LayerActivation) -> tuple[JobSpec, bytes]:
    spec = JobSpec(
        model="table", version="1", input_kind="tensor", examples=1, method=stored_fields(method), target=[1]
    )
    return spec, save({"input.0": torch.linspace(-1, 1, 6).unsqueeze(0)})


@pytest.mark.parametrize(
    ("precision", "made", "told"),
    [
        ("tf32", {}, "'tf32' is a mode of CUDA devices, and this one is cpu"),
        ("float16", {"loud": 1e9}, "overflows in 'float16'"),
        ("float8", {}, "runtime.precision"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, precision: str, made: dict[str, float], told: str) -> None:
    with pytest.raises(ModelConfigError, match=told):
        loaded(folder(tmp_path, precision, **made))  # type: ignore[arg-type]


@pytest.mark.parametrize("precision", HALVES)
@pytest.mark.parametrize(("model", "shape"), [(ToyMlp(), (6,)), (ToySegmenter(), (2, 8, 8))], ids=["table", "map"])
def test_the_error_is_that_of_captums_gradient(model: nn.Module, shape: tuple[int, ...], precision: Precision) -> None:
    """Of one row, with the sample's neighbours left out: the error is the autocast gradient's against float64's."""
    exact = frozen(model)
    single = ModelView(_float32(exact), exact, CPU)
    sample = (torch.randn(1, *shape, generator=torch.Generator().manual_seed(1)),)
    view, told = in_precision(single, sample, precision, DeviceGate(), 1)
    assert told.gradient_error == gradient_error(view, sample)
    whole = gradient_error(single, sample)
    assert whole is not None
    assert told.gradient_error is not None
    assert 0 < whole < 1e-5 < told.gradient_error < 0.2
    assert view.module is single.module
    assert view.pass_module(*sample).dtype == torch.float32


def test_a_model_in_float64_has_no_half() -> None:
    view = ModelView(frozen(ToyMlp()), frozen(ToyMlp()), CPU)
    with pytest.raises(ModelConfigError, match="is for models in float32"):
        in_precision(view, (torch.zeros(1, 6, dtype=torch.float64),), "bfloat16", DeviceGate(), 1)


def _float32(model: nn.Module) -> nn.Module:
    return copy.deepcopy(model).float()


AT_START = """
import torch
from workers import main
from workers.settings import WorkerSettings

class NoStore(Exception):
    pass

def no_store(*args, **kwargs):
    raise NoStore

torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
main.WorkerQueue = no_store
try:
    main.run(WorkerSettings(device="cpu"))
except NoStore:
    print(torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32)
"""


def test_a_worker_starts_without_tf32() -> None:
    script = [sys.executable, "-c", AT_START]
    root = ROOT
    printed = subprocess.run(script, cwd=root, capture_output=True, text=True, check=True, timeout=120).stdout
    assert printed.split() == ["False", "False"]
