"""What models answer: dataclasses and the like, labels that hold together, maps of scores."""

import copy
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from safetensors.torch import load
from torch import Tensor, nn

from schemas.errors import InputRejected
from schemas.jobs import PREDICTED, ClassRef, JobSpec
from schemas.methods import DeepLift, InputXGradient, IntegratedGradients, LayerGradCam, stored_fields
from tests.workers.jobs.claims import claimed
from tests.workers.toys import CPU, RunningJob, ToySegmenter, ToyWithFields, frozen, problem_of, view_of
from workers.engine.device.gate import DeviceGate
from workers.engine.engine import Engine
from workers.jobs.single import run_single
from workers.models.pipeline import load_model
from workers.models.probes.output_tensor import return_tensor
from workers.models.resident import Device, ResidentModel
from workers.repository.model_toml import ModelConfigError
from workers.transform.hookable import separate_activations


class Pair(NamedTuple):
    first: Tensor
    second: Tensor


@dataclass
class Nothing:
    number: int = 3


X = torch.ones(1, 6)
OTHER = torch.zeros(1, 2)


class Answers(nn.Module):
    """Answers what it was told to."""

    def __init__(self, given: Any) -> None:
        super().__init__()
        self.given = given

    def forward(self, x: Tensor) -> Any:
        return self.given


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (X, None),
        ({"logits": X, "hidden": OTHER}, None),
        ({"scores": X}, None),
        ({"scores": X, "hidden": OTHER}, "scores"),
        (OrderedDict(out=X, aux=OTHER), "out"),
        (Pair(OTHER, X), "second"),
        ((X,), None),
        ((OTHER, X), "1"),
        ([None, X], None),
    ],
    ids=str,
)
def test_the_tensor_within_an_answer(given: Any, field: str | None) -> None:
    model = Answers(given)
    return_tensor(model, given, field)
    assert model(X) is X
    assert copy.deepcopy(model)(X).equal(X)


@pytest.mark.parametrize(
    ("given", "field", "said"),
    [
        ({"a": X, "b": OTHER}, None, "several tensors: name one as output.field, of: a, b"),
        ({"a": X, "b": OTHER}, "c", "no tensor 'c': a, b"),
        ((X, OTHER), "2", "no tensor '2': 0, 1"),
        (Nothing(), None, "of: none"),
        ("a word", None, "of: none"),
        (X, "logits", "which has no fields"),
    ],
    ids=str,
)
def test_an_answer_without_one_tensor_is_refused(given: Any, field: str | None, said: str) -> None:
    with pytest.raises(ModelConfigError, match=said):
        return_tensor(Answers(given), given, field)


def test_deep_lift_and_its_rewriting_see_the_tensor() -> None:
    """A functional activation needs the rewriting; the copy answers as the model does."""

    class Functional(ToyWithFields):
        def forward(self, x: Tensor) -> Any:
            hidden = torch.relu(self.first(x))
            return {"hidden": hidden, "logits": self.head(hidden)}

    model = frozen(Functional())
    return_tensor(model, model(torch.zeros(1, 6, dtype=torch.float64)), None)
    x = torch.randn(3, 6, dtype=torch.float64)
    hookable = separate_activations(model, (x[:1],), 1)
    assert hookable.changed
    assert torch.equal(hookable.module(x), model(x))
    view = view_of(model)
    engine = Engine(type(view)(model, model, CPU, hookable=hookable.module), batch_rows=8, threads=1).start()
    outcome = RunningJob(engine, DeepLift(), problem_of([x], [0, 1, 3])).result()
    engine.stop()
    assert outcome.delta is not None
    assert float(outcome.delta.abs().max()) < 1e-9


@pytest.mark.parametrize(("dim", "shape"), [(-1, (2, 5, 3, 4)), (3, (2, 5, 3, 4)), (2, (2, 4, 3, 5))])
def test_classes_come_behind_the_rows(dim: int, shape: tuple[int, ...]) -> None:
    given = torch.rand(2, 3, 4, 5)
    model = Answers({"logits": given})
    return_tensor(model, model.given, None, dim)
    assert model(X).shape == shape
    assert torch.equal(model(X), given.movedim(dim, 1))
    with pytest.raises(ModelConfigError, match=r"\[2, 3, 4, 5\], without a dimension 4"):
        return_tensor(Answers(given), given, None, 4)


def test_the_class_predicted_at_a_place(tmp_path: Path) -> None:
    toml = """
name = "map"
factory = "model.py:Map"
input = {kind = "tensor", shapes = [[1, 5, 6]]}
"""
    model = resident(tmp_path / "map", toml)
    x = torch.randn(3, 1, 5, 6, generator=torch.Generator().manual_seed(0))
    asked = [[PREDICTED, 1, 2], [0, 4, 5], [PREDICTED, 3, 3]]
    meta, tensors = explained(model, x, InputXGradient(), asked)
    out = model.engine.view.module(x).detach()
    known = [[int(out[0, :, 1, 2].argmax()), 1, 2], [0, 4, 5], [int(out[2, :, 3, 3].argmax()), 3, 3]]
    assert meta.target == [ClassRef.of(target) for target in known]
    again = resident(tmp_path / "again", toml)
    _, same = explained(again, x, InputXGradient(), known)
    assert torch.equal(tensors["input"], same["input"])
    with pytest.raises(InputRejected, match=r"are \[5, 6\], counted from 0"):
        explained(resident(tmp_path / "third", toml), x, InputXGradient(), [[0, 5, 0]] * 3)


def test_values_of_a_regression_are_told_in_order(tmp_path: Path) -> None:
    toml = """
name = "values"
factory = "model.py:Fields"
input = {kind = "tensor", shapes = [[4]]}
output = {kind = "regression"}
"""
    model = resident(tmp_path / "values", toml)
    x = torch.tensor([[1.0, -2.0, 0.5, 3.0]])
    meta, _ = explained(model, x, InputXGradient(), [1])
    values = model.engine.view.module(x)[0].tolist()
    assert [one.index for one in meta.predictions[0]] == [0, 1, 2]
    assert [one.score for one in meta.predictions[0]] == pytest.approx(values)


def test_jobs_of_different_places_share_a_pass() -> None:
    model = frozen(ToySegmenter())
    engine = Engine(view_of(model), batch_rows=64, threads=1)
    x = torch.randn(1, 2, 8, 8, dtype=torch.float64)
    places = [[0, 0, 0], [2, 3, 1], [1, 2, 2]]
    jobs = [RunningJob(engine, InputXGradient(), problem_of([x], [place])) for place in places]
    engine.start()
    outcomes = [job.result() for job in jobs]
    assert engine.stats.passes == 2  # the outputs, then the gradients
    engine.stop()
    for (c, row, column), outcome in zip(places, outcomes, strict=True):
        leaf = x.clone().requires_grad_()
        model(leaf)[0, c, row, column].backward()
        assert leaf.grad is not None
        assert torch.allclose(outcome.attributions[0], leaf.grad * x, rtol=1e-12)


def test_without_a_place_nothing_is_guessed() -> None:
    engine = Engine(view_of(frozen(ToySegmenter())), batch_rows=64, threads=1).start()
    job = RunningJob(engine, InputXGradient(), problem_of([torch.zeros(1, 2, 8, 8, dtype=torch.float64)]))
    with pytest.raises(InputRejected, match="a class and a position"):
        job.result()
    engine.stop()


MODEL = """
import torch
from torch import nn

class Fields(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(3)
        self.hidden = nn.Linear(4, 8)
        self.act = nn.ReLU()
        self.out = nn.Linear(8, 3)

    def forward(self, x):
        hidden = self.act(self.hidden(x))
        return {"hidden": hidden, "logits": self.out(hidden)}

class Map(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(4)
        self.conv = nn.Conv2d(1, 3, 3, padding=1)

    def forward(self, x):
        return self.conv(x)
"""


def resident(folder: Path, toml: str) -> ResidentModel:
    folder.mkdir()
    (folder / "model.py").write_text(MODEL)
    (folder / "model.toml").write_text(toml)
    return load_model(folder, Device(CPU, 1, 16, DeviceGate()))


def explained(model: ResidentModel, x: Tensor, method: Any, target: Any) -> Any:
    """The result's head and its tensors."""
    spec = JobSpec(
        model="m", version="1", input_kind="tensor", examples=len(x), method=stored_fields(method), target=target
    )
    model.engine.start()
    try:
        done = run_single(model, claimed(spec, {"input.0": x}))
    finally:
        model.engine.stop()
    return done.meta, load(done.tensors)


def test_labels_that_hold_together(tmp_path: Path) -> None:
    toml = """
name = "tags"
factory = "model.py:Fields"
input = {kind = "tensor", shapes = [[4]]}
output = {kind = "multilabel", labels = ["red", "green", "blue"]}
explain = {layer = "act"}
"""
    model = resident(tmp_path / "tags", toml)
    assert model.card.output is not None
    assert (model.card.output.kind, model.card.output.shape) == ("multilabel", [3])
    assert {"hidden", "act", "out"} <= {layer.name for layer in model.card.layers}
    x = torch.tensor([[1.0, -2.0, 0.5, 3.0]])
    meta, _ = explained(model, x, LayerGradCam(layer="act"), None)
    scores = model.engine.view.module(x).sigmoid()[0]
    for one in meta.predictions[0]:
        assert one.score == pytest.approx(float(scores[one.index]))
    assert meta.target == [ClassRef(index=int(scores.argmax()), label=["red", "green", "blue"][int(scores.argmax())])]


def test_a_map_of_scores(tmp_path: Path) -> None:
    toml = """
name = "map"
factory = "model.py:Map"
input = {kind = "tensor", shapes = [[1, 5, 6]]}
output = {labels = ["road", "tree", "sky"]}
"""
    model = resident(tmp_path / "map", toml)
    assert model.card.output is not None
    assert (model.card.output.size, model.card.output.shape) == (3, [3, 5, 6])
    x = torch.randn(2, 1, 5, 6)
    meta, tensors = explained(model, x, IntegratedGradients(baseline="zero"), [[1, 0, 4], [2, 3, 3]])
    assert [one.words() for one in meta.target] == ["tree (0, 4)", "sky (3, 3)"]
    assert meta.convergence_delta == pytest.approx([0, 0], abs=1e-5)
    map_ = model.engine.view.module(x).detach()
    for example, (row, column) in enumerate([(0, 4), (3, 3)]):
        told = {one.label: one.score for one in meta.predictions[example]}
        expected = map_[example, :, row, column].softmax(dim=0)
        assert told == pytest.approx(dict(zip(["road", "tree", "sky"], expected.tolist(), strict=True)))
        assert all(one.position == [row, column] for one in meta.predictions[example])
    seen = tensors["input"][0, 0].nonzero()
    assert seen[:, 0].max() <= 1  # a 3 x 3 window around (0, 4)
    assert seen[:, 1].min() >= 3
