"""DeepLIFT's rules: complete, the same for a row whatever stands beside it, and Captum's own where Captum is right."""

from collections.abc import Callable, Iterator

import captum.attr._core.deep_lift as captums
import pytest
import torch
from captum.attr import DeepLift
from torch import Tensor, nn

from schemas.methods import DeepLift as DeepLiftMethod
from tests.workers.toys import RunningJob, ToyConvNet, frozen, problem_of, view_of
from workers.engine.engine import Engine
from workers.methods.captum_changes.deep_lift_rules import RESCALED, RULES, ClippedReLU

CAPTUMS_OWN = {
    nn.Softmax: captums.softmax,
    nn.MaxPool1d: captums.maxpool1d,
    nn.MaxPool2d: captums.maxpool2d,
    nn.MaxPool3d: captums.maxpool3d,
}


@pytest.fixture
def as_in_captum() -> Iterator[None]:
    """Captum's table of rules as it came."""
    captums.SUPPORTED_NON_LINEAR.update(CAPTUMS_OWN)
    yield
    captums.SUPPORTED_NON_LINEAR.update(RULES)


def draw(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def partly_equal(x: Tensor, seed: int) -> Tensor:
    """A baseline that equals the input in a part of each row."""
    return torch.where(torch.arange(x.shape[-1]) < 2, x, draw(seed, *x.shape))


def assert_right(model: nn.Module, x: Tensor) -> None:
    """Complete for every output, and every row as if it were alone."""
    baseline = partly_equal(x, 9)
    for target in (0, 1):
        together = DeepLift(model).attribute(x, baseline, target=target)
        expected = (model(x) - model(baseline))[:, target]
        torch.testing.assert_close(together.flatten(1).sum(1), expected, rtol=1e-10, atol=1e-12)
        alone = [DeepLift(model).attribute(a[None], b[None], target=target) for a, b in zip(x, baseline, strict=True)]
        torch.testing.assert_close(together, torch.cat(alone), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("kind", RESCALED, ids=lambda kind: kind.__name__)
def test_activations(kind: type[nn.Module]) -> None:
    arguments = {"dim": 1} if "oftm" in kind.__name__ else {"upper": 1.0} if kind is ClippedReLU else {}
    activation = kind(**arguments)
    assert_right(frozen(nn.Sequential(nn.Linear(6, 5), activation, nn.Linear(5, 2))), draw(1, 4, 6))


def test_a_model_that_ends_in_softmax() -> None:
    model = frozen(nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 3), nn.Softmax(dim=1)))
    assert_right(model, draw(1, 4, 6))


@pytest.mark.parametrize(
    "pool",
    [
        lambda d: (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)[d - 1](2),
        lambda d: (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)[d - 1](3, 2, 1, ceil_mode=True),
        lambda d: (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)[d - 1](3, 1, dilation=2),
        lambda d: (nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d)[d - 1](3),
    ],
    ids=["apart", "overlapping", "dilated", "adaptive"],
)
@pytest.mark.parametrize("dimensions", [1, 2, 3])
def test_max_pools(dimensions: int, pool: Callable[[int], nn.Module]) -> None:
    conv = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[dimensions - 1]
    model = nn.Sequential(conv(2, 3, 1), pool(dimensions), nn.Flatten(), nn.LazyLinear(2).double())
    x = draw(1, 3, 2, *[8] * dimensions)
    model.double()(x)  # for the lazy layer to learn its size
    assert_right(frozen(model), x)


def test_max_pool_by_its_definition() -> None:
    """Window by window: the rise above both maxima goes to the maximum, the rest to that of the baseline."""
    pool = nn.MaxPool1d(3, stride=1)
    x, baseline, weight = draw(1, 1, 1, 7), draw(2, 1, 1, 7), draw(3, 5)
    contributions = torch.zeros(7, dtype=torch.float64)
    for start, w in enumerate(weight):
        a, b = x[0, 0, start : start + 3], baseline[0, 0, start : start + 3]
        top = max(a.max(), b.max())
        contributions[start + int(a.argmax())] += w * (top - b.max())
        contributions[start + int(b.argmax())] += w * (a.max() - top)
    head = nn.Linear(5, 1, bias=False).double()
    head.weight.data = weight[None]
    given = DeepLift(nn.Sequential(pool, nn.Flatten(), head)).attribute(x, baseline, target=0)
    torch.testing.assert_close(given[0, 0], contributions)


@pytest.mark.usefixtures("as_in_captum")
def test_captum_as_it_came_gives_the_same_where_it_is_right() -> None:
    """One example at a time, windows apart, input and baseline different everywhere."""
    model, x, baseline = frozen(ToyConvNet()), draw(1, 1, 3, 12, 12), draw(2, 1, 3, 12, 12)
    expected = DeepLift(model).attribute(x, baseline, target=3)
    captums.SUPPORTED_NON_LINEAR.update(RULES)
    torch.testing.assert_close(DeepLift(model).attribute(x, baseline, target=3), expected, rtol=1e-12, atol=1e-14)


@pytest.mark.usefixtures("as_in_captum")
def test_captum_as_it_came_is_wrong_where_the_documentation_says_so() -> None:
    """Fails when a later Captum needs these rules no more."""
    softmax = frozen(nn.Sequential(nn.Linear(6, 3), nn.Softmax(dim=1)))
    pooled = frozen(nn.Sequential(nn.Unflatten(1, (1, 6)), nn.MaxPool1d(3, 1), nn.Flatten(), nn.Linear(4, 2)))
    for model in (softmax, pooled):
        with pytest.raises(AssertionError):
            assert_right(model, draw(1, 3, 6))


def test_jobs_on_a_softmax_model_are_concatenated() -> None:
    model = frozen(nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3), nn.Softmax(dim=1)))
    subjects = [problem_of([draw(k, 2, 6)], [0, 1], [draw(10 + k, 2, 6)]) for k in range(4)]
    engine = Engine(view_of(model), batch_rows=64, threads=1)
    jobs = [RunningJob(engine, DeepLiftMethod(), subject) for subject in subjects]
    engine.start()
    outcomes = [job.result() for job in jobs]
    engine.stop()
    for subject, outcome in zip(subjects, outcomes, strict=True):
        alone = DeepLift(model).attribute(subject.inputs[0], subject.baselines[0], target=torch.tensor([0, 1]))
        torch.testing.assert_close(outcome.attributions[0], alone, rtol=1e-10, atol=1e-12)
        assert float(outcome.delta.abs().max()) < 1e-12
    assert engine.stats.passes == 2  # the endpoints of all, and one call of DeepLIFT
