"""What methods declare about themselves is consistent."""

import pytest

from schemas.limits import NOISE_ROUND
from schemas.methods import (
    METHODS,
    BaseMethod,
    GradientShap,
    IntegratedGradients,
    KernelShap,
    Saliency,
    SmoothGrad,
)
from schemas.methods.names import canonical_method_name

CLASSES = pytest.mark.parametrize("cls", METHODS.values(), ids=METHODS)


@CLASSES
def test_a_name_is_the_class_name(cls: type[BaseMethod]) -> None:
    assert canonical_method_name(cls.__name__) == cls.default("name")
    assert METHODS[cls.default("name")] is cls


@CLASSES
def test_declarations_agree_with_parameters(cls: type[BaseMethod]) -> None:
    fields = cls.model_fields
    assert (cls.baselines != "none") == ("baseline" in fields)
    assert (cls.kind != "input" or cls.needs_map) == ("layer" in fields)
    assert (cls.kind == "neuron") == ("neuron_selector" in fields)
    assert cls.noisy_samples is None or (cls.noisy_samples in fields and cls.draws)
    assert cls.perturbs is None or not cls.gradients


@CLASSES
def test_lanes_agree_with_what_methods_do(cls: type[BaseMethod]) -> None:
    if cls.rules is not None or "layer" in cls.model_fields:
        assert cls.lane == "solo"
    if cls.coalesces or cls.single_gradient:
        assert cls.lane == "shared"
        assert not cls.draws


def test_adaptive_methods() -> None:
    assert IntegratedGradients(n_steps="auto").adaptive
    assert not IntegratedGradients(n_steps=20).adaptive
    assert KernelShap(tolerance=0.1).adaptive
    assert not SmoothGrad().adaptive


def test_noisy_copies() -> None:
    assert GradientShap(n_samples=100).noisy_copies == 100
    assert SmoothGrad(nt_samples=100).noisy_copies == 100
    assert SmoothGrad(nt_samples=100, tolerance=0.1).noisy_copies == NOISE_ROUND
    assert Saliency().noisy_copies == 0


def test_completeness_and_rates_follow_the_multiplication_by_inputs() -> None:
    assert IntegratedGradients().promises_completeness
    assert not IntegratedGradients(multiply_by_inputs=False).promises_completeness
    assert IntegratedGradients(multiply_by_inputs=False).yields_rates
    assert SmoothGrad().yields_rates
    assert not SmoothGrad(attribution_method="input_x_gradient").yields_rates


@pytest.mark.parametrize(
    ("method", "fields"),
    [
        (SmoothGrad(n_steps=7), ["n_steps"]),
        (SmoothGrad(attribution_method="integrated_gradients", abs=False), ["abs"]),
        (SmoothGrad(nt_type="vargrad", tolerance=0.1), ["tolerance"]),
        (IntegratedGradients(tolerance=0.1), ["tolerance"]),
        (IntegratedGradients(n_steps="auto", method="riemann_left"), ["method"]),
        (IntegratedGradients(n_steps="auto", tolerance=0.1), []),
    ],
)
def test_unused_parameters(method: BaseMethod, fields: list[str]) -> None:
    assert [field for field, _ in method.unused_parameters()] == fields
