"""One pass over rows of several blocks gives each block what a pass of its own gives."""

import pytest
import torch
from torch import Tensor, nn

from schemas.errors import InputRejected, JobFailed
from schemas.jobs import PREDICTED
from tests.workers.toys import CPU, ToyMlp, ToyTwoInputs, frozen, view_of
from workers.engine.shared.batch import run_pass
from workers.engine.shared.block import Block, Part
from workers.engine.task import Task
from workers.engine.view import ModelView


def rows(count: int, width: int, seed: int = 0) -> Tensor:
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def whole(block: Block) -> Part:
    return Part(block, 0, block.size)


def test_forward_rows_of_two_inputs_go_back_to_their_blocks() -> None:
    model = frozen(ToyTwoInputs())
    blocks = [Block(Task("job"), "forward", (rows(n, 3, n), rows(n, 2, n)), (), None) for n in (2, 4)]
    parts = [Part(blocks[0], 1, 2), whole(blocks[1])]
    results = run_pass(view_of(model, 2), "forward", parts)
    assert [out.shape for (out,) in results] == [(1, 3), (4, 3)]
    assert torch.allclose(results[0][0], model(*blocks[0].inputs)[1:2])
    assert torch.allclose(results[1][0], model(*blocks[1].inputs))


@pytest.mark.parametrize("all_outputs", [False, True])
def test_gradients_of_given_and_predicted_targets(all_outputs: bool) -> None:
    model = frozen(ToyMlp())
    given, predicted = torch.tensor([3, 0]), torch.tensor([PREDICTED] * 3)
    blocks = [
        Block(Task("job"), "gradient", (rows(len(t), 6, len(t)),), (), t, all_outputs) for t in (given, predicted)
    ]
    for block, (gradient, last) in zip(
        blocks, run_pass(view_of(model), "gradient", [*map(whole, blocks)]), strict=True
    ):
        x = block.inputs[0].clone().requires_grad_()
        out = model(x)
        assert block.targets is not None
        targets = torch.where(block.targets == PREDICTED, out.argmax(dim=1), block.targets)
        explained = out[torch.arange(len(x)), targets]
        assert torch.allclose(gradient, torch.autograd.grad(explained.sum(), x)[0])
        assert torch.allclose(last, out if all_outputs else explained)
        assert not gradient.requires_grad
        assert not last.requires_grad


class Masked(nn.Module):
    """The masked sum of (rows, n, 2), to (rows, 2). Works in place."""

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        x *= mask.unsqueeze(2)
        return x.sum(dim=1)


def test_padded_rows_share_a_pass_and_get_gradients_of_their_own_length() -> None:
    model = Masked()
    view = ModelView(model, model, CPU, padded=True)
    blocks = [
        Block(Task("job"), "gradient", (torch.ones(1, n, 2),), (torch.ones(1, n),), torch.tensor([1])) for n in (3, 5)
    ]
    results = run_pass(view, "gradient", [*map(whole, blocks)])
    for n, (gradient, explained) in zip((3, 5), results, strict=True):
        assert gradient.tolist() == [[[0.0, 1.0]] * n]
        assert explained.item() == n


@pytest.mark.parametrize("kind", ["forward", "gradient"])
def test_a_model_that_works_in_place_does_not_change_a_jobs_tensors(kind: str) -> None:
    model = Masked()
    tensors = torch.ones(2, 3, 2), torch.full((2, 3), 5.0)
    block = Block(Task("job"), kind, tensors[:1], tensors[1:], torch.tensor([0, 1]))  # type: ignore[arg-type]
    run_pass(ModelView(model, model, CPU), kind, [whole(block)])  # type: ignore[arg-type]
    assert tensors[0].eq(1).all()
    assert tensors[1].eq(5).all()


def test_a_missing_target_and_missing_rows_are_errors() -> None:
    with pytest.raises(InputRejected, match="class and a position"):
        run_pass(
            view_of(frozen(ToyMlp())), "gradient", [whole(Block(Task("job"), "gradient", (rows(2, 6),), (), None))]
        )
    pooled = nn.Flatten(0)
    with pytest.raises(JobFailed, match="not one row for each"):
        run_pass(view_of(pooled), "forward", [whole(Block(Task("job"), "forward", (rows(2, 6),), (), None))])
