"""What is NaN, infinite or without a gradient is refused, or told, with its name."""

import math

import pytest
import torch
from torch import Tensor, nn

from schemas import methods as spec
from schemas.errors import NonFinite
from schemas.methods import AnyMethod
from tests.workers.toys import RunningJob, frozen, problem_of, view_of
from workers.engine.engine import Engine
from workers.evaluation.attribution_warnings import completeness_warnings, zero_warnings
from workers.inputs.prepared import Prepared
from workers.methods.outcome import Outcome
from workers.models.method_support import method_support, no_gradient
from workers.models.probes.gradient_reach import gradient_reach
from workers.transform.hookable.hookable_module import without_relu


class Normalising(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([(x / x.norm(dim=1, keepdim=True)).sum(1), x.sum(1)], 1)


class Logarithm(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.abs().log().sum(1)


class Masking(nn.Module):
    """Rules its second class out."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([x.sum(1), torch.full_like(x[:, 0], -math.inf)], 1)


def explained(model: nn.Module, method: AnyMethod, target: int | None, x: list[float]) -> Outcome:
    engine = Engine(view_of(model), batch_rows=8, threads=1).start()
    try:
        targets = None if target is None else [target]
        return RunningJob(engine, method, problem_of([torch.tensor([x], dtype=torch.float64)], targets)).result()
    finally:
        engine.stop()


ROW = [0.5, -0.25, 1.0]
WITH_ENDS: list[AnyMethod] = [spec.IntegratedGradients(), spec.KernelShap(n_samples=8), spec.ShapleyValues()]


@pytest.mark.parametrize("method", WITH_ENDS)
@pytest.mark.parametrize(("model", "target"), [(Normalising(), 0), (Logarithm(), None)])
def test_a_baseline_without_a_finite_output_is_named(method: AnyMethod, model: nn.Module, target: int | None) -> None:
    with pytest.raises(NonFinite, match="output for the baseline is not finite"):
        explained(model, method, target, ROW)


@pytest.mark.parametrize("method", [spec.Saliency(), spec.IntegratedGradients(), spec.FeatureAblation()])
def test_an_input_without_a_finite_output_is_named(method: AnyMethod) -> None:
    with pytest.raises(NonFinite, match="output for the input is not finite"):
        explained(Logarithm(), method, None, [0.0, 1.0, 2.0])


@pytest.mark.parametrize("method", [spec.FeatureAblation(), spec.Lime(n_samples=8)])
def test_a_perturbed_row_without_a_finite_output_is_named(method: AnyMethod) -> None:
    with pytest.raises(NonFinite, match="perturbed input"):
        explained(Logarithm(), method, None, ROW)


def test_classes_that_are_not_explained_may_be_infinite() -> None:
    for method in (spec.KernelShap(n_samples=8), spec.IntegratedGradients(), spec.FeatureAblation()):
        outcome = explained(Masking(), method, 0, ROW)
        assert torch.allclose(outcome.attributions[0].double(), torch.tensor([ROW], dtype=torch.float64), atol=1e-6)


def test_no_difference_is_told_as_that() -> None:
    outcome = explained(Masking(), spec.IntegratedGradients(), 0, [1.0, -1.0, 0.0])
    (said,) = completeness_warnings(spec.IntegratedGradients(), outcome)
    assert "no difference to attribute" in said
    assert "more steps" not in said


def test_only_attributions_that_are_all_zero_are_warned_of() -> None:
    assert "all attributions are zero" in zero_warnings((torch.zeros(2, 3), torch.zeros(2)))[0]
    assert zero_warnings((torch.zeros(2, 3), torch.tensor([0.0, 1e-30]))) == []


class Detached(nn.Module):
    def __init__(self, how: str) -> None:
        super().__init__()
        self.how = how
        self.fc = nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        if self.how == "no_grad":
            with torch.no_grad():
                return self.fc(x)
        return self.fc(x.detach()) if self.how == "detach" else self.fc(nn.functional.one_hot(x.argmax(1), 3).to(x))


@pytest.mark.parametrize("how", ["no_grad", "detach", "argmax"])
def test_without_a_gradient_only_perturbation_is_offered(how: str) -> None:
    x = (torch.tensor([ROW], dtype=torch.float64),)
    view, sample = view_of(frozen(Detached(how))), Prepared(x, (), x, ())
    assert "carry no gradient" in (no_gradient(view, sample) or "")
    reach = gradient_reach(view, sample)
    supports = {
        one.name: one
        for one in method_support(view, sample, {}, text=False, embedding=None, reach=reach, rule_reasons={})
    }
    assert not supports["saliency"].supported
    assert "carry no gradient" in (supports["saliency"].reason or "")
    assert not supports["integrated_gradients"].supported
    assert supports["feature_ablation"].supported
    assert supports["kernel_shap"].supported


class UnusedRelu(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.relu = nn.ReLU()
        self.fc = nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(self.fc(x))


def test_guided_methods_need_a_relu_that_runs() -> None:
    x = (torch.tensor([ROW], dtype=torch.float64),)
    linear, gelu = nn.Sequential(nn.Linear(3, 2)), nn.Sequential(nn.Linear(3, 2), nn.GELU())
    for module in (linear, gelu, UnusedRelu()):
        assert "no nn.ReLU" in (without_relu(frozen(module), x) or "")
        view, sample = view_of(module), Prepared(x, (), x, ())
        reach = gradient_reach(view, sample)
        for one in method_support(view, sample, {}, text=False, embedding=None, reach=reach, rule_reasons={}):
            if "guided" in one.name or "deconvolution" in one.name:
                assert not one.supported, one.name
    assert without_relu(frozen(nn.Sequential(nn.Linear(3, 2), nn.ReLU())), x) is None
