"""When a result warns its reader."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from schemas.methods import (
    FeatureAblation,
    IntegratedGradients,
    LayerActivation,
    LayerGradCam,
    NeuronGuidedBackprop,
    Saliency,
)
from schemas.models import LayerCard
from tests.workers.jobs.claims import claimed
from tests.workers.jobs.net import example, spec
from workers.jobs.prepare import prepare_job
from workers.jobs.result_warnings import result_warnings
from workers.methods.outcome import Outcome
from workers.models.resident import ResidentModel

ONES = example(1.0)


def warnings_of(
    model: ResidentModel, method: Any, attributions: Tensor = ONES, delta: float | None = None
) -> list[str]:
    job = prepare_job(model, claimed(spec(method, seed=7), {"input.0": ONES}))
    missed = None if delta is None else torch.tensor([delta], dtype=torch.float64)
    whole = None if delta is None else torch.tensor([1.0], dtype=torch.float64)
    outcome = Outcome((attributions,), torch.tensor([[0.0, 2.0, 1.0]]), [1], missed, whole)
    return result_warnings(model, job, outcome, (attributions,))


def with_view(model: ResidentModel, **changes: Any) -> ResidentModel:
    return replace(model, engine=model.engine.sibling(replace(model.engine.view, **changes), "other"))


def with_layer(model: ResidentModel, **fields: Any) -> ResidentModel:
    layer = LayerCard(name="body.0", type="Linear", **fields)
    return replace(model, card=model.card.model_copy(update={"layers": [layer]}))


@pytest.mark.parametrize(
    "method", [Saliency(), FeatureAblation(), LayerActivation(layer="body.0")], ids=lambda m: m.name
)
def test_nothing_to_warn_of(model: ResidentModel, method: Any) -> None:
    assert warnings_of(model, method) == []


def test_the_seed_of_a_model_that_draws(model: ResidentModel) -> None:
    (warning,) = warnings_of(with_view(model, draws_random=True), Saliency())
    assert "this result holds for seed 7 alone" in warning


def test_elements_without_a_gradient(model: ResidentModel) -> None:
    indexed = with_view(model, index_columns=((0, 1), (0, 3)))
    (warning,) = warnings_of(indexed, Saliency())
    assert warning.startswith("the output depends on input element 1, 3, which has no gradient")
    assert warnings_of(indexed, FeatureAblation()) == []
    assert warnings_of(indexed, LayerActivation(layer="body.0")) == []
    assert model.card.input is not None
    card = model.card.model_copy(update={"input": model.card.input.model_copy(update={"shapes": [[4], [4]]})})
    (warning,) = warnings_of(replace(indexed, card=card), Saliency())
    assert "input element 0[1], 0[3], which" in warning


def test_grad_cam_at_a_layer_that_may_hold_tokens(model: ResidentModel) -> None:
    method = LayerGradCam(layer="body.0")
    (warning,) = warnings_of(with_layer(model, output_shape=[5, 8]), method)
    assert "explain.token_grid" in warning
    assert warnings_of(with_layer(model, output_shape=[5, 8], grid=[2, 4]), method) == []
    assert warnings_of(with_layer(model, output_shape=[5, 8, 8]), method) == []
    assert warnings_of(with_layer(model, output_shape=[5, 8]), LayerActivation(layer="body.0")) == []


def test_guided_methods_without_a_relu_to_guide(model: ResidentModel) -> None:
    layered = with_layer(model, no_relu_before=["output"])
    (warning,) = warnings_of(layered, NeuronGuidedBackprop(layer="body.0", neuron_selector=0))
    assert "the output of 'body.0'" in warning
    at_input = NeuronGuidedBackprop(layer="body.0", neuron_selector=0, attribute_to_neuron_input=True)
    assert warnings_of(layered, at_input) == []


def test_attributions_that_miss_the_difference_or_are_zero(model: ResidentModel) -> None:
    (missed,) = warnings_of(model, IntegratedGradients(n_steps=20), delta=0.5)
    assert "miss 50% of the difference" in missed
    (zero,) = warnings_of(model, Saliency(), attributions=torch.zeros(1, 4))
    assert zero.startswith("all attributions are zero")
