"""Several questions about one input share its forward."""

from typing import Any

import pytest
import torch
from safetensors.torch import load
from torch import Tensor

from schemas.jobs import JobSpec
from schemas.methods import DeepLift, FeatureAblation, InputXGradient, IntegratedGradients, stored_fields
from tests.paths import MODELS
from tests.workers.jobs.claims import claimed
from tests.workers.toys import CPU
from workers.engine.gate import DeviceGate
from workers.engine.output_cache import OutputCache
from workers.jobs.single import run_single
from workers.models.load import Device, ResidentModel, load_model

MLP = MODELS / "breast-cancer-mlp"
X = torch.linspace(-1, 1, 30).reshape(1, 30)


@pytest.fixture
def model() -> Any:
    resident = load_model(MLP, Device(CPU, 1, 16, DeviceGate()))
    resident.engine.start()
    yield resident
    resident.engine.stop()


def ask(model: ResidentModel, x: Tensor, method: Any, **more: Tensor) -> tuple[Any, Tensor]:
    """The result's head and the attributions."""
    spec = JobSpec(model="m", version="1", input_kind="tensor", examples=len(x), method=stored_fields(method))
    done = run_single(model, claimed(spec, {"input.0": x, **more}))
    return done.meta, load(done.tensors)["input"]


@pytest.mark.parametrize(
    ("method", "alone", "after"),
    [
        (IntegratedGradients(baseline="zero", n_steps=10), 12, 10),
        (DeepLift(baseline="zero"), 4, 2),
        (FeatureAblation(baseline="zero"), 31, 30),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_ends_are_computed_once(model: ResidentModel, method: Any, alone: int, after: int) -> None:
    first, expected = ask(model, X, method)
    again, found = ask(model, X, method)
    assert (first.timing.rows, again.timing.rows) == (alone, after)
    assert torch.equal(found, expected)
    assert again.predictions == first.predictions
    assert again.convergence_delta == first.convergence_delta


def test_methods_share_an_input_and_its_baseline(model: ResidentModel) -> None:
    ask(model, X, InputXGradient())  # its one pass tells the outputs too
    assert ask(model, X, IntegratedGradients(baseline="zero", n_steps=10))[0].timing.rows == 11  # and the baseline's
    assert ask(model, X, DeepLift(baseline="zero"))[0].timing.rows == 2


def test_what_differs_is_computed(model: ResidentModel) -> None:
    method = IntegratedGradients(baseline="zero", n_steps=10)
    ask(model, X, method)
    assert ask(model, X + 1e-6, method)[0].timing.rows == 12
    given = {"tensor": {"shape": [1, 30], "data": [0.5] * 30}}
    other = IntegratedGradients(baseline=given, n_steps=10)  # type: ignore[arg-type]  # validated into a tensor
    for value in (0.5, 0.25):
        meta, _ = ask(model, X, other, **{"baseline.0": torch.full((1, 30), value)})
        assert meta.timing.rows == 11  # the input's output is known, this baseline's is not


def test_it_holds_no_more_than_it_may() -> None:
    known = OutputCache(most_bytes=64)
    for k in range(4):
        known.put(bytes([k]), torch.full((1, 6), float(k)))  # 24 bytes each
    assert [known.get(bytes([k])) is not None for k in range(4)] == [False, False, True, True]
    known.put(b"large", torch.zeros(1, 17))
    assert known.get(b"large") is None
    known.get(bytes([2]))
    known.put(b"new", torch.zeros(1, 6))
    assert known.get(bytes([3])) is None  # the other had been asked for since
    known.put(None, torch.zeros(1, 6))
    assert known.get(None) is None


def test_what_is_kept_is_a_copy() -> None:
    known, outputs = OutputCache(), torch.zeros(2, 3)
    known.put(b"x", outputs[:1])
    outputs += 1
    kept = known.get(b"x")
    assert kept is not None
    assert kept.sum() == 0
    assert kept.untyped_storage().nbytes() == 12
