"""What a request gets that names no method, baseline or layer."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from schemas.models import LayerCard, MethodSupport
from workers.models.card_defaults import card_defaults
from workers.models.stages import LoadedModel
from workers.repository.model_toml import ExplainConfig, ModelConfigError

LAYERS = [
    LayerCard(name="conv", type="Conv2d"),
    LayerCard(name="rnn", type="LSTM", output_refused="no tensor"),
    LayerCard(name="twice", type="ReLU", calls=2, refused="called twice"),
]


def loaded(background_rows: int = 0, **explain: Any) -> LoadedModel:
    """What the defaults depend on."""
    fields = SimpleNamespace(
        config=SimpleNamespace(explain=ExplainConfig(**explain)),
        adapter=SimpleNamespace(baselines=["black", "zero"]),
        background_rows=background_rows,
    )
    return cast(LoadedModel, fields)


def supports(*names: str) -> list[MethodSupport]:
    return [MethodSupport(name=name, supported=True) for name in names]


def test_a_description_without_defaults() -> None:
    found = card_defaults(loaded(), LAYERS, supports("integrated_gradients"), "conv")
    assert (found.method, found.baseline, found.layer) == ("integrated_gradients", "black", "conv")
    assert found.shap_baseline == "black"


def test_a_background_is_the_baseline_of_shap() -> None:
    found = card_defaults(loaded(background_rows=3), LAYERS, [], None)
    assert (found.baseline, found.shap_baseline) == ("black", "background")
    assert card_defaults(loaded(3, baseline="background"), LAYERS, [], None).baseline == "background"


@pytest.mark.parametrize(
    ("explain", "supported", "method"),
    [
        ({}, ["layer_integrated_gradients", "feature_ablation"], "layer_integrated_gradients"),
        ({}, ["feature_ablation", "occlusion"], "feature_ablation"),
        ({}, [], "integrated_gradients"),
        ({"method": "saliency"}, ["feature_ablation"], "saliency"),
    ],
)
def test_the_method_is_supported_unless_the_description_names_it(
    explain: dict[str, Any], supported: list[str], method: str
) -> None:
    assert card_defaults(loaded(**explain), LAYERS, supports(*supported), None).method == method


@pytest.mark.parametrize("layer", ["rnn", "twice", "absent", None])
def test_a_layer_that_cannot_be_explained_is_no_default(layer: str | None) -> None:
    assert card_defaults(loaded(), LAYERS, [], layer).layer is None


@pytest.mark.parametrize(
    ("explain", "said"),
    [
        ({"layer": "rnn"}, "explain.layer: no tensor"),
        ({"layer": "twice"}, "explain.layer: called twice"),
        ({"layer": "absent"}, "explain.layer: the model runs no layer 'absent'"),
        ({"baseline": "blur"}, "explain.baseline: 'blur' means nothing for this input"),
        ({"baseline": "background"}, "explain.baseline: 'background' means nothing for this input"),
    ],
)
def test_defaults_that_do_not_fit_the_model(explain: dict[str, Any], said: str) -> None:
    with pytest.raises(ModelConfigError) as raised:
        card_defaults(loaded(**explain), LAYERS, [], "conv")
    assert str(raised.value) == said
