"""A result that does not add up says so, and what to do."""

import pytest
import torch
from torch import Tensor, nn

from schemas.methods import AnyMethod, DeepLift, IntegratedGradients, Saliency
from tests.workers.toys import RunningJob, frozen, problem_of, view_of
from workers.engine.engine import Engine
from workers.evaluation.attribution_warnings import completeness_warnings


class Steep(nn.Module):
    """A step between baseline and input, too steep for few points, by a function that DeepLIFT has no rule for."""

    def __init__(self) -> None:
        super().__init__()
        self.same = nn.Linear(2, 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return torch.erf(40 * (x - 0.5)) + x


@pytest.mark.parametrize(
    ("method", "said"),
    [
        (IntegratedGradients(n_steps=4), "try more steps than 4"),
        (IntegratedGradients(n_steps=400), None),
        (DeepLift(), "integrated_gradients has no such limit"),
        (Saliency(), None),
    ],
    ids=["few steps", "many steps", "no rule", "no promise"],
)
def test_what_is_missed_is_said(method: AnyMethod, said: str | None) -> None:
    engine = Engine(view_of(frozen(Steep())), batch_rows=16, threads=1).start()
    outcome = RunningJob(engine, method, problem_of([torch.ones(1, 2, dtype=torch.float64)], [1])).result()
    engine.stop()
    warnings = completeness_warnings(method, outcome)
    assert bool(warnings) == bool(said)
    if said:
        assert said in warnings[0]
