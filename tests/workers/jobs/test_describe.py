"""The metadata of a result, and the names and shapes of its attributions."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from safetensors.torch import load

from schemas.errors import InputRejected, NonFinite
from schemas.limits import MAX_TENSOR_ELEMENTS
from schemas.methods import InputXGradient, IntegratedGradients, LayerActivation, Saliency
from tests.workers.jobs.claims import QUEUED_MS, claimed
from tests.workers.jobs.conftest import BATCH_ROWS
from tests.workers.jobs.net import example, spec
from workers.jobs.describe import describe, target_classes, upsampled
from workers.jobs.job import PreparedJob
from workers.jobs.prepare import prepare_job
from workers.methods.outcome import Outcome
from workers.models.resident import ResidentModel

IG = IntegratedGradients(n_steps=20)
OUTPUTS = torch.tensor([[0.0, 2.0, 1.0]], dtype=torch.float64)


def prepared(model: ResidentModel, method: Any, **fields: Any) -> PreparedJob:
    return prepare_job(model, claimed(spec(method, **fields), {"input.0": example(1.0)}))


def outcome(*attributions: torch.Tensor) -> Outcome:
    return Outcome(attributions or (example(0.5),), OUTPUTS, [1], None, None)


def test_a_result_holds_what_its_reader_needs(model: ResidentModel) -> None:
    job = prepared(model, IG, seed=7)
    job.task.rows, job.task.passes, job.task.pass_places = 22, 3, 30
    job.task.pass_s, job.task.parked_s = 0.25, 0.5
    result = describe(model, job, outcome(), None, run_s=1.0)
    meta = result.meta
    assert result.job is job.claimed
    assert torch.equal(load(result.tensors)["input"], example(0.5))
    assert [tensor.model_dump() for tensor in meta.attributions] == [
        {"name": "input", "datatype": "FP64", "shape": [1, 4]}
    ]
    assert (meta.id, meta.model.name, meta.model.digest) == ("job", "net", model.card.digest)
    assert meta.target is not None
    assert [(target.index, target.label) for target in meta.target] == [(1, "bee")]
    assert (meta.layer, meta.quality, meta.convergence_delta, meta.warnings) == (None, None, None, [])
    assert (meta.execution, meta.execution_reason) == ("packed", None)
    timing = meta.timing
    assert (timing.queued_ms, timing.run_ms, timing.wait_ms, timing.pass_ms) == (QUEUED_MS, 1000.0, 250.0, 250.0)
    assert (timing.rows, timing.passes, timing.fill) == (22, 3, 30 / 3 / BATCH_ROWS)
    assert (meta.provenance.seed, meta.provenance.dtype, meta.provenance.device) == (7, "float64", "cpu")
    assert meta.provenance.torch == torch.__version__


def test_a_job_without_passes_has_no_fill(model: ResidentModel) -> None:
    assert describe(model, prepared(model, IG), outcome(), None, run_s=0.0).meta.timing.fill is None


def test_why_each_row_has_a_pass_of_its_own(model: ResidentModel) -> None:
    view = replace(model.engine.view, alone_reason="rows mix")
    alone = replace(model, engine=model.engine.sibling(view, "alone"))
    meta = describe(alone, prepared(model, Saliency()), outcome(), None, run_s=0.0).meta
    assert (meta.execution, meta.execution_reason) == ("alone", "rows mix")


def test_attributions_at_a_layer_bear_its_name(model: ResidentModel) -> None:
    job = prepared(model, LayerActivation(layer="body.0"))
    one = describe(model, job, outcome(torch.ones(1, 9)), None, run_s=0.0)
    assert one.meta.layer == "body.0"
    assert list(load(one.tensors)) == ["body.0"]
    several = describe(model, job, outcome(torch.ones(1, 9), torch.zeros(1, 2)), None, run_s=0.0)
    assert {name: tuple(tensor.shape) for name, tensor in load(several.tensors).items()} == {
        "body.0.0": (1, 9),
        "body.0.1": (1, 2),
    }
    assert [tensor.name for tensor in several.meta.attributions] == ["body.0.0", "body.0.1"]


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_numbers_that_are_not_finite_fail_the_job(model: ResidentModel, value: float) -> None:
    attributions = example(0.5)
    attributions[0, 2] = value
    with pytest.raises(NonFinite, match="overflows on this input"):
        describe(model, prepared(model, InputXGradient()), outcome(attributions), None, run_s=0.0)


def test_one_target_stands_for_all_examples(model: ResidentModel) -> None:
    card = model.card
    assert target_classes(card, None, 2) is None
    for targets, labels in (([2], ["cat", "cat"]), ([0, 1], ["ant", "bee"])):
        classes = target_classes(card, targets, 2)
        assert classes is not None
        assert [target.label for target in classes] == labels
    (place,) = target_classes(card, [[1, 4, 5]], 1) or []
    assert (place.index, place.label, place.position) == (1, "bee", [4, 5])


def test_maps_are_enlarged_and_other_tensors_are_not() -> None:
    constant, vector = torch.full((2, 3, 4, 5), 0.25), torch.rand(2, 7)
    enlarged, unchanged = upsampled((constant, vector), (8, 15))
    assert torch.allclose(enlarged, torch.full((2, 3, 8, 15), 0.25))
    assert unchanged is vector


def test_maps_that_become_too_large_are_refused() -> None:
    maps = torch.zeros(1, 1, 1, 1)
    with pytest.raises(InputRejected, match="leave upsample out"):
        upsampled((maps,), (2, MAX_TENSOR_ELEMENTS // 2 + 1))
