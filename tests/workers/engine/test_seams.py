"""What a job gets at its seams, beside the gradients that Captum asks for."""

import torch

from tests.workers.toys import ToyScalar, ToyTwoInputs, frozen, view_of
from workers.engine.engine import Engine
from workers.engine.seams import Seams
from workers.engine.task import Task


def test_outputs_come_with_the_gradients() -> None:
    for toy, shapes, target in ((ToyTwoInputs(), ((5, 3), (5, 2)), 1), (ToyScalar(), ((5, 6),), None)):
        model = frozen(toy)
        inputs = tuple(torch.randn(*shape, dtype=torch.float64, requires_grad=True) for shape in shapes)
        engine = Engine(view_of(model, len(inputs)), batch_rows=2, threads=1).start()  # rows of one block in 3 passes
        task = Task("job")
        engine.enter(task)
        gradients, outputs = Seams(engine, task).gradient_and_output(inputs, target)
        engine.leave(task)
        engine.stop()
        expected = model(*inputs) if target is None else model(*inputs)[:, target]
        assert torch.allclose(outputs, expected, rtol=1e-12)
        for gradient, own in zip(gradients, torch.autograd.grad(expected.sum(), inputs), strict=True):
            assert torch.allclose(gradient, own, rtol=1e-12)
        assert task.rows == 5
