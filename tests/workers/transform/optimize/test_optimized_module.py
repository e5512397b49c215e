"""The module that shared passes run: what is changed, what is kept, and that it computes the same."""

import torch
from torch import Tensor, nn

from schemas.methods import InputXGradient
from tests.workers.toys import RunningJob, frozen, lean_view_of, problem_of
from tests.workers.transform.optimize.norm_models import IMAGE, chain, head, norms_of, optimized_copy
from workers.engine.engine import Engine
from workers.transform.optimize import make_optimized
from workers.transform.optimize.layout import ChannelsLast


def test_a_model_that_needs_its_layout_keeps_it() -> None:
    class Viewing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)

        def forward(self, x: Tensor) -> Tensor:
            return self.norm(self.conv(x)).view(x.shape[0], -1)

    optimized = optimized_copy(Viewing())
    assert not isinstance(optimized, ChannelsLast)
    assert norms_of(optimized) == 0


def test_weights_are_shared_unless_changed() -> None:
    model = frozen(chain(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(144, 50), nn.Linear(50, 2)))
    optimized = make_optimized(model, [(torch.randn(1, *IMAGE, dtype=torch.float64),)], 1)
    assert optimized is not model
    theirs = {parameter.data_ptr() for parameter in model[3:].parameters()}
    assert theirs <= {parameter.data_ptr() for parameter in optimized.parameters()}


def test_a_model_without_anything_to_change_is_used_itself() -> None:
    model = frozen(chain(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 2)))
    assert make_optimized(model, [(torch.randn(1, 6, dtype=torch.float64),)], 1) is model


def test_shared_passes_run_it_and_hooks_find_the_model() -> None:
    model = frozen(chain(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), *head(4)))
    view = lean_view_of(model, [IMAGE])
    assert view.optimized is not None
    ran = []
    view.optimized.register_forward_hook(lambda *_: ran.append("optimized"))
    model.register_forward_hook(lambda *_: ran.append("model"))
    engine = Engine(view, batch_rows=8, threads=1).start()
    rows = torch.randn(1, *IMAGE, dtype=torch.float64)
    [gradient] = RunningJob(engine, InputXGradient(), problem_of([rows], [1])).result().attributions
    engine.stop()
    assert ran == ["optimized"]
    assert gradient.is_contiguous()
