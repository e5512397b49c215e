"""Every method on the three shipped models in float32 equals a direct Captum call: alone, and 17 jobs at a time.

Rows that share passes run the leaner copy of the model that was made for them, and so does Captum here: in float32 two
roundings of the same function differ wherever an activation lies on the bend of a ReLU. In float64 the copy's answers
are held against Captum on the model itself, here and for every method in `test_parity_toys`.
"""

import pytest
import torch
from torch.nn.modules.batchnorm import _BatchNorm

from schemas.methods import METHOD_NAMES, AnyMethod, IntegratedGradients, Occlusion, Saliency, SmoothGrad
from schemas.traits import PERMUTES
from tests.workers.methods.captum_calls import direct, max_relative_difference
from tests.workers.shipped import FOLDERS, MODELS, NOT_OFFERED, Shipped, shipped_model
from tests.workers.toys import RunningJob, lean_view_of, problem_of
from workers.engine.engine import Engine
from workers.models.loaders import load
from workers.repository.model_toml import read_config

pytestmark = pytest.mark.slow
TOLERANCE = 1e-4
IN_FLOAT64 = 1e-9
ON_TOYS_ALONE = {"shapley_values", *PERMUTES}  # exponential; need several examples


@pytest.fixture(scope="module", params=MODELS)
def shipped(request: pytest.FixtureRequest) -> Shipped:
    return shipped_model(request.param)


@pytest.mark.parametrize("name", METHOD_NAMES)
def test_alone(shipped: Shipped, name: str) -> None:
    method = shipped.methods.get(name)
    if method is None:
        assert name in ON_TOYS_ALONE | NOT_OFFERED[shipped.model.card.name]
        return
    outcome = RunningJob(shipped.model.engine, method, shipped.subject(method), seed=7).result()
    assert max_relative_difference(outcome.attributions, shipped.captum(method, 7)) <= TOLERANCE


def test_what_is_not_offered_has_a_reason(shipped: Shipped) -> None:
    refused = {one.name: one.reason for one in shipped.model.card.methods if not one.supported}
    assert set(refused) == NOT_OFFERED[shipped.model.card.name]
    assert all(refused.values())


@pytest.mark.parametrize("half", [0, 1])
def test_seventeen_of_mixed_methods_at_once(shipped: Shipped, half: int) -> None:
    """Each of the 17 runs beside 16 others on the same model."""
    methods = list(shipped.methods.values())
    chosen = (methods + methods)[17 * half : 17 * half + 17]
    subjects = [shipped.subject(method) for method in chosen]
    shipped.model.engine.hold()
    jobs = [RunningJob(shipped.model.engine, m, p, seed=7) for m, p in zip(chosen, subjects, strict=True)]
    shipped.model.engine.release()
    outcomes = [job.result(timeout_s=300) for job in jobs]
    for method, outcome in zip(chosen, outcomes, strict=True):
        assert max_relative_difference(outcome.attributions, shipped.captum(method, 7)) <= TOLERANCE, method.name


def test_a_loaded_model_is_made_lean(shipped: Shipped) -> None:
    view = shipped.model.engine.view
    convolutional = shipped.model.card.name == "efficientnet-lite0"
    assert any(isinstance(part, _BatchNorm) for part in view.module.modules()) == convolutional
    assert not any(isinstance(part, _BatchNorm) for part in view.pass_module.modules())
    assert (view.pass_module is not view.module) == convolutional


def test_the_lean_copy_in_float64_equals_captum_on_the_model_itself() -> None:
    folder = FOLDERS / "efficientnet-lite0"
    model = load(read_config(folder), folder).module.double()
    size = [3, 64, 64]
    view = lean_view_of(model, [size])
    assert view.optimized is not None
    subject = problem_of(
        [torch.randn(1, *size, generator=torch.Generator().manual_seed(1), dtype=torch.float64)], [285]
    )
    methods: list[AnyMethod] = [
        Saliency(abs=False),
        IntegratedGradients(n_steps=5),
        SmoothGrad(nt_samples=3, stdevs=0.2),
        Occlusion(sliding_window_shapes=[3, 32, 32], strides=[3, 32, 32]),
    ]
    engine = Engine(view, batch_rows=8, threads=1).start()
    outcomes = [job.result() for job in [RunningJob(engine, method, subject, seed=7) for method in methods]]
    engine.stop()
    for method, outcome in zip(methods, outcomes, strict=True):
        expected = direct(method, model, model, subject, 7)
        assert max_relative_difference(outcome.attributions, expected) <= IN_FLOAT64, method.name
