"""The parameters with which a check tries methods."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from schemas.methods import METHODS
from schemas.models import LayerCard
from workers.engine.task import Task
from workers.jobs.check_sample import explain_sample, sample_method
from workers.jobs.tuning import MASK_FEATURES, MAX_ABLATED_UNITS
from workers.models.load import ResidentModel


def with_card(model: ResidentModel, **fields: Any) -> ResidentModel:
    return replace(model, card=model.card.model_copy(update=fields))


def with_shapes(model: ResidentModel, shapes: list[list[int]], kind: str = "tensor") -> ResidentModel:
    assert model.card.input is not None
    config = model.config.model_copy(update={"input": model.config.input.model_copy(update={"kind": kind})})
    card = model.card.model_copy(update={"input": model.card.input.model_copy(update={"shapes": shapes})})
    return replace(model, config=config, card=card)


def with_layer(model: ResidentModel, shape: list[int]) -> ResidentModel:
    assert model.card.defaults is not None
    return with_card(
        model,
        layers=[LayerCard(name="body.0", type="Linear", output_shape=shape)],
        defaults=model.card.defaults.model_copy(update={"layer": "body.0"}),
    )


def test_methods_have_their_defaults(model: ResidentModel) -> None:
    assert sample_method(model, "integrated_gradients") == METHODS["integrated_gradients"]()


def test_layer_methods_need_a_default_layer(model: ResidentModel) -> None:
    assert model.card.defaults is not None
    layerless = with_card(model, defaults=model.card.defaults.model_copy(update={"layer": None}))
    assert sample_method(layerless, "layer_activation") is None
    assert sample_method(layerless, "saliency") is not None
    method = sample_method(with_layer(model, [3, 4, 4]), "neuron_gradient")
    assert (getattr(method, "layer", None), getattr(method, "neuron_selector", None)) == ("body.0", [0, 0, 0])


@pytest.mark.parametrize(("units", "tried"), [(MAX_ABLATED_UNITS, True), (MAX_ABLATED_UNITS + 1, False)])
def test_layers_of_many_units_are_not_ablated(model: ResidentModel, units: int, tried: bool) -> None:
    assert (sample_method(with_layer(model, [units]), "layer_feature_ablation") is not None) == tried


@pytest.mark.parametrize(
    ("shapes", "kind", "windows"),
    [
        ([[4]], "tensor", [1]),
        ([[4], [2, 3]], "tensor", [[1], [1, 1]]),
        ([[64, 64]], "tensor", [16, 16]),
        ([[3, 64, 32]], "image", [3, 16, 8]),
        ([[1, 2_000]], "tensor", [1, 500]),
    ],
)
def test_large_examples_are_occluded_by_few_windows(
    model: ResidentModel, shapes: list[list[int]], kind: str, windows: list[Any]
) -> None:
    method = sample_method(with_shapes(model, shapes, kind), "occlusion")
    assert (getattr(method, "sliding_window_shapes", None), getattr(method, "strides", None)) == (windows, windows)


def test_the_sample_has_few_features(model: ResidentModel) -> None:
    method, task = sample_method(model, "feature_ablation"), Task("check")
    assert method is not None
    explain_sample(model, method, task)
    assert task.rows == 1 + MASK_FEATURES  # the input itself, and one row without each feature
    assert task.targets is not None
    sample = model.adapter.sample(model.engine.view.device).inputs
    assert task.targets == model.engine.view.module(*sample).argmax(dim=1).tolist()


def test_methods_that_permute_have_two_examples(model: ResidentModel) -> None:
    method, task = sample_method(model, "feature_permutation"), Task("check")
    assert method is not None
    explain_sample(model, method, task)
    assert task.targets is not None
    assert torch.tensor(task.targets).numel() == 2
