"""On every toy: the copy is the model, and Captum's hook methods are right on it."""

import pytest
import torch
from captum.attr import LRP, Deconvolution, DeepLift, DeepLiftShap, GuidedBackprop, InputXGradient
from torch import Tensor, nn

from tests.workers.transform.hookable.definitions import baseline_of, reference, several
from tests.workers.transform.hookable.toys import MODELS, toy
from workers.transform.hookable import HookableModule, hook_defects, separate_activations

TARGET = 1
WITHOUT_LRP = {"clipped", "branch on values"}  # a product, a difference


@pytest.fixture(params=MODELS)
def case(request: pytest.FixtureRequest) -> tuple[str, nn.Module, Tensor, HookableModule]:
    model, x = toy(request.param)
    return request.param, model, x, separate_activations(model, (x,))


def test_proven_and_nothing_left_to_fix(case: tuple[str, nn.Module, Tensor, HookableModule]) -> None:
    name, _, x, hookable = case
    assert hookable.reason is None
    assert hookable.changed
    expected = {
        "clipped": {"lrp"},
        "branch on values": {"deep_lift", "lrp"},
    }
    assert set(hook_defects(hookable.module, (x,))) == expected.get(name, set())


def test_equal_and_the_model_untouched(case: tuple[str, nn.Module, Tensor, HookableModule]) -> None:
    _, model, x, hookable = case
    torch.testing.assert_close(hookable.module(several(x)), model(several(x)), rtol=1e-12, atol=1e-12)
    for part in model.modules():
        assert "forward" not in vars(part)
        assert not part._forward_hooks
        assert not part._forward_pre_hooks


def test_shares_every_weight(case: tuple[str, nn.Module, Tensor, HookableModule]) -> None:
    _, model, _, hookable = case
    assert hookable.module is not model
    ours = [*hookable.module.parameters(), *hookable.module.buffers()]
    assert {id(t) for t in ours} == {id(t) for t in (*model.parameters(), *model.buffers())}
    assert {t.data_ptr() for t in hookable.module.state_dict().values()} == {
        t.data_ptr() for t in model.state_dict().values()
    }
    for path, part in model.named_modules():
        found = hookable.module.get_submodule(path)
        assert [id(p) for p in found.parameters()] == [id(p) for p in part.parameters()]


def test_deep_lift_is_complete(case: tuple[str, nn.Module, Tensor, HookableModule]) -> None:
    _, model, x, hookable = case
    x = several(x)
    baseline = baseline_of(x)
    expected = (model(x) - model(baseline))[:, TARGET]
    attribution = DeepLift(hookable.module).attribute(x, baseline, target=TARGET)
    torch.testing.assert_close(attribution.flatten(1).sum(1), expected, rtol=1e-9, atol=1e-12)
    shap = DeepLiftShap(hookable.module).attribute(x, baseline, target=TARGET)
    expected = model(x)[:, TARGET] - model(baseline)[:, TARGET].mean()
    torch.testing.assert_close(shap.flatten(1).sum(1), expected, rtol=1e-9, atol=1e-12)


def test_deep_lift_of_a_row_does_not_depend_on_the_others(case: tuple[str, nn.Module, Tensor, HookableModule]) -> None:
    _, _, x, hookable = case
    x = several(x)
    baseline = baseline_of(x)
    method = DeepLift(hookable.module)
    together = method.attribute(x, baseline, target=TARGET)
    alone = [method.attribute(x[i : i + 1], baseline[i : i + 1], target=TARGET) for i in range(len(x))]
    torch.testing.assert_close(together, torch.cat(alone), rtol=1e-9, atol=1e-12)


def test_guided_methods_equal_their_definition(case: tuple[str, nn.Module, Tensor, HookableModule]) -> None:
    name, model, x, hookable = case
    x = several(x)
    guided = GuidedBackprop(hookable.module).attribute(x, target=TARGET)
    torch.testing.assert_close(guided, reference(model, x, TARGET), rtol=1e-9, atol=1e-12)
    if name != "clipped":  # ReLU6 in one step has no gradient between its two bends to replace
        given = Deconvolution(hookable.module).attribute(x, target=TARGET)
        torch.testing.assert_close(given, reference(model, x, TARGET, deconvolution=True), rtol=1e-9, atol=1e-12)


def test_what_is_said_to_be_right_is_right_on_the_model_as_written(
    case: tuple[str, nn.Module, Tensor, HookableModule],
) -> None:
    _, model, x, _ = case
    subjects = hook_defects(model, (x,))
    if "deep_lift" not in subjects:
        baseline = baseline_of(x)
        given = DeepLift(model).attribute(x, baseline, target=TARGET).sum()
        torch.testing.assert_close(given, (model(x) - model(baseline))[0, TARGET])
    if "guided" not in subjects:
        torch.testing.assert_close(GuidedBackprop(model).attribute(x, target=TARGET), reference(model, x, TARGET))
    assert "lrp" in subjects


def test_lrp_equals_input_times_gradient(case: tuple[str, nn.Module, Tensor, HookableModule]) -> None:
    """As it must with the epsilon rule in networks of ReLUs and max pools (Ancona et al., 2018)."""
    name, model, x, hookable = case
    refused = "lrp" in hook_defects(hookable.module, (x,))
    assert refused == (name in WITHOUT_LRP)
    if refused or name == "smooth":
        return
    for _ in range(2):  # nothing of the first call is left in the second
        given = LRP(hookable.module).attribute(x, target=TARGET)
        expected = InputXGradient(model).attribute(x, target=TARGET)
        torch.testing.assert_close(given, expected, rtol=1e-4, atol=1e-4 * float(expected.detach().abs().max()))


def test_lrp_on_functions_is_lrp_on_modules() -> None:
    model, x = toy("smooth")
    activations = [nn.Sigmoid(), nn.ELU(), nn.Tanh(), nn.LeakyReLU(0.2), nn.Softplus(), nn.Sigmoid(), nn.Softplus(2.0)]
    parts = [part for pair in zip(model.layers, [*activations, nn.ELU(0.5)], strict=False) for part in pair]
    expected = LRP(nn.Sequential(*parts, model.layers[8])).attribute(x, target=TARGET)
    given = LRP(separate_activations(model, (x,)).module).attribute(x, target=TARGET)
    torch.testing.assert_close(given, expected, rtol=1e-12, atol=1e-14)
