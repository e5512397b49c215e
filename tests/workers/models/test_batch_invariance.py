"""Whatever a model is made of: a job's answer alone is its answer beside twenty others, or the card says alone."""

from dataclasses import replace
from threading import Thread

import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from schemas import methods as spec
from workers.engine.engine import Engine
from workers.engine.task import Task
from workers.engine.view import ModelView
from workers.methods.explain import explain
from workers.methods.explain_inputs import ExplainInputs
from workers.models.execution import examine
from workers.repository.model_toml import ModelConfigError
from workers.tracing.draws import RowKind

CPU = torch.device("cpu")
WIDTH = 4
JOBS = 21
LAYERS = {
    "linear": lambda x, w: x @ w,
    "tanh": lambda x, w: x.tanh(),
    "softplus": lambda x, w: F.softplus(x),
    "layer norm": lambda x, w: F.layer_norm(x, (WIDTH,)),
    "own softmax": lambda x, w: x.softmax(1),
    "squared": lambda x, w: x * x,
    "batch mean": lambda x, w: x - x.mean(0),
    "batch softmax": lambda x, w: x.softmax(0),
    "neighbour": lambda x, w: x + 0.5 * x.roll(1, 0),
    "from three rows": lambda x, w: x * (1.0 if len(x) < 3 else x[2].sum().tanh()),
    "size": lambda x, w: x * len(x),
    "dropout": lambda x, w: F.dropout(x, 0.5),
    "noise": lambda x, w: x + torch.randn_like(x),
}


class Drawn(nn.Module):
    def __init__(self, names: list[str], seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.names = names
        self.weights = [
            torch.randn(WIDTH, WIDTH, generator=generator, dtype=torch.float64) for _ in range(len(names) + 1)
        ]

    def forward(self, x: Tensor) -> Tensor:
        for name, weight in zip(self.names, self.weights, strict=False):
            x = LAYERS[name](x, weight)  # type: ignore[no-untyped-call]
        return x @ self.weights[-1]


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    names=st.lists(st.sampled_from(sorted(LAYERS)), min_size=1, max_size=4),
    seed=st.integers(0, 1000),
    method=st.sampled_from(["saliency", "integrated_gradients", "feature_ablation"]),
)
def test_a_job_alone_equals_the_job_beside_others(names: list[str], seed: int, method: str) -> None:
    module = Drawn(names, seed).eval()
    try:
        found = examine(module, [RowKind((WIDTH,), torch.float64)], 1, CPU)
    except ModelConfigError:
        return  # refused is right, too
    view = replace(ModelView(module, module, CPU), alone_reason=found.alone, draws_random=found.random)
    generator = torch.Generator().manual_seed(seed + 1)
    inputs = torch.randn(JOBS, WIDTH, generator=generator, dtype=torch.float64)
    alone = [_run(view, method, [row])[0] for row in inputs.split(1)]
    beside = _run(view, method, list(inputs.split(1)))
    for one, other in zip(alone, beside, strict=True):
        torch.testing.assert_close(other, one, rtol=1e-7, atol=1e-9)


def _run(view: ModelView, name: str, rows: list[Tensor]) -> list[Tensor]:
    """Each row as a job of its own, all at the same time."""
    engine = Engine(view, batch_rows=16, threads=1)
    method = {
        "saliency": spec.Saliency(abs=False),
        "integrated_gradients": spec.IntegratedGradients(n_steps=4, baseline="zero"),
        "feature_ablation": spec.FeatureAblation(baseline="zero"),
    }[name]
    results: list[Tensor] = [torch.empty(0)] * len(rows)

    def job(number: int) -> None:
        row = rows[number]
        subject = ExplainInputs(
            inputs=(row,),
            additional_forward_args=(),
            targets=[0],
            baselines=(torch.zeros_like(row),),
            baseline_distribution=None,
            feature_mask=None,
            layer_mask=None,
            layer_inputs=(row,),
            layer_additional_forward_args=(),
            layer_baselines=None,
        )
        results[number] = explain(engine, Task(str(number)), method, subject, seed=7).attributions[0]

    engine.hold()
    engine.start()
    threads = [Thread(target=job, args=(number,)) for number in range(len(rows))]
    for thread in threads:
        thread.start()
    engine.release()
    for thread in threads:
        thread.join()
    engine.stop()
    return results
