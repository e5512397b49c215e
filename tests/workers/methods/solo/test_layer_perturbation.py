"""Units of a layer, taken away or exchanged: against the definition, unit by unit, however they are batched."""

from typing import Any

import captum.attr as captum
import pytest
import torch
from torch import Tensor, nn

from schemas.methods import LayerFeatureAblation, LayerFeaturePermutation
from tests.workers.toys import ToyMlp, frozen, view_of
from workers.engine.solo.solo_call import SoloCall
from workers.methods.solo.layer_perturbation import layer_feature_ablation, layer_feature_permutation

MODEL = frozen(ToyMlp())
LAYER = "second"  # 8 units
TARGETS = torch.tensor([3, 0, 2])
X = torch.randn(3, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def chosen(out: Tensor) -> Tensor:
    return out.gather(1, TARGETS[:, None]).squeeze(1)


def with_layer(values: Tensor) -> Tensor:
    """The explained outputs with these values in the layer's place."""
    handle = MODEL.get_submodule(LAYER).register_forward_hook(lambda *_: values)
    out = chosen(MODEL(X))
    handle.remove()
    return out


def layer_values() -> Tensor:
    kept: list[Tensor] = []
    handle = MODEL.get_submodule(LAYER).register_forward_hook(lambda _m, _i, out: kept.append(out))
    MODEL(X)
    handle.remove()
    return kept[0]


def call(**masks: Any) -> SoloCall:
    return SoloCall((X,), (), None, TARGETS, **masks)


@pytest.mark.parametrize("batch_rows", [1, 7, 64])
def test_ablation(batch_rows: int) -> None:
    values, whole = layer_values(), chosen(MODEL(X))
    expected = torch.empty_like(values)
    for unit in range(8):
        ablated = values.clone()
        ablated[:, unit] = 0.5
        expected[:, unit] = whole - with_layer(ablated)
    method = LayerFeatureAblation(layer=LAYER, layer_baselines=0.5)
    (given,) = layer_feature_ablation(method, view_of(MODEL), call(), batch_rows)
    torch.testing.assert_close(given, expected, rtol=1e-12, atol=1e-14)


def test_a_value_of_its_own_for_each_unit() -> None:
    values, whole = layer_values(), chosen(MODEL(X))
    instead = torch.randn(3, 8, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    expected = torch.empty_like(values)
    for unit in range(8):
        ablated = values.clone()
        ablated[:, unit] = instead[:, unit]
        expected[:, unit] = whole - with_layer(ablated)
    method, together = LayerFeatureAblation(layer=LAYER), call(layer_values=(instead,))
    (given,) = layer_feature_ablation(method, view_of(MODEL), together, 7)
    torch.testing.assert_close(given, expected, rtol=1e-12, atol=1e-14)
    (alone,) = layer_feature_ablation(method, view_of(MODEL), together.part(1, 2), 7)
    torch.testing.assert_close(alone, expected[1:2], rtol=1e-12, atol=1e-14)


def test_a_mask_of_its_own_for_each_example() -> None:
    """In one call, and cut into calls of one example, as the solo lane may."""
    mask = torch.tensor([[0, 0, 1, 1, 2, 2, 2, 2], [0, 1, 1, 1, 1, 2, 2, 0], [2, 2, 2, 2, 1, 1, 0, 0]])
    values, whole = layer_values(), chosen(MODEL(X))
    expected = torch.empty_like(values)
    for group in range(3):
        fallen = whole - with_layer(torch.where(mask == group, 0.0, values))
        expected = torch.where(mask == group, fallen[:, None], expected)
    together, method = call(layer_mask=(mask,)), LayerFeatureAblation(layer=LAYER)
    (given,) = layer_feature_ablation(method, view_of(MODEL), together, 64)
    torch.testing.assert_close(given, expected, rtol=1e-12, atol=1e-14)
    alone = [layer_feature_ablation(method, view_of(MODEL), together.part(i, i + 1), 64)[0] for i in range(3)]
    torch.testing.assert_close(torch.cat(alone), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("batch_rows", [1, 7, 64])
def test_permutation(batch_rows: int) -> None:
    """The orders are drawn as Captum draws them, one for each unit."""
    values, whole = layer_values(), chosen(MODEL(X))
    expected = torch.empty_like(values)
    torch.manual_seed(4)
    for unit in range(8):
        exchanged = values.clone()
        exchanged[:, unit] = values[_order(3), unit]
        expected[:, unit] = whole - with_layer(exchanged)
    torch.manual_seed(4)
    method = LayerFeaturePermutation(layer=LAYER)
    (given,) = layer_feature_permutation(method, view_of(MODEL), call(), batch_rows)
    torch.testing.assert_close(given, expected, rtol=1e-12, atol=1e-14)


def _order(count: int) -> Tensor:
    """Captum draws again while the order is the one there was."""
    while True:
        order = torch.randperm(count)
        if not torch.equal(order, torch.arange(count)):
            return order


def test_at_the_layers_input_and_back_as_it_was() -> None:
    method = LayerFeatureAblation(layer=LAYER, attribute_to_layer_input=True)
    (given,) = layer_feature_ablation(method, view_of(MODEL), call(), 16)
    (expected,) = layer_feature_ablation(LayerFeatureAblation(layer="relu"), view_of(MODEL), call(), 16)
    torch.testing.assert_close(given, expected)
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in MODEL.modules())


def test_captum_as_it_came_is_wrong_where_the_documentation_says_so() -> None:
    """Fails when a later Captum needs this no more."""
    layer: nn.Module = MODEL.get_submodule(LAYER)
    ablation, permutation = captum.LayerFeatureAblation(MODEL, layer), captum.LayerFeaturePermutation(MODEL, layer)
    with pytest.raises(AssertionError, match="target dimension"):
        ablation.attribute(X, target=TARGETS, perturbations_per_eval=4)
    with pytest.raises((AssertionError, IndexError)):
        permutation.attribute(X, target=1)
