"""A model that does not answer one row for each of its batch fails its job: no job waits for the rows for ever."""

import threading
from collections.abc import Callable

import pytest
import structlog
import torch
from torch import Tensor, nn

from schemas.errors import JobError, JobFailed
from tests.workers.toys import CPU
from workers.engine.engine import Engine
from workers.engine.task import Task
from workers.engine.view import ModelView

ROWS = 5
TIMEOUT_S = 60.0


class Answers(nn.Module):
    def __init__(self, answer: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.answer = answer

    def forward(self, x: Tensor) -> Tensor:
        return self.answer(x)


def outcome(answer: Callable[[Tensor], Tensor], batch_rows: int = ROWS) -> tuple[Tensor, ...] | JobError:
    model = Answers(answer)
    engine = Engine(ModelView(model, model, CPU, input_count=1), batch_rows=batch_rows).start()
    found: list[tuple[Tensor, ...] | JobError] = []

    def ask() -> None:
        try:
            found.append(engine.compute(Task("job"), "forward", (torch.arange(20.0).reshape(ROWS, 4),), (), None))
        except JobError as error:
            found.append(error)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(TIMEOUT_S)
    assert found, "the job hangs"
    assert engine.alive
    engine.stop()
    return found[0]


@pytest.mark.parametrize(
    "answer",
    [
        lambda x: x.mean(0),  # one vector for the whole batch
        lambda x: torch.cat([x, x]),  # more rows than were asked for
        lambda x: x[:-1],  # one row less
    ],
    ids=["mean", "more", "less"],
)
def test_another_number_of_rows_fails_the_job(answer: Callable[[Tensor], Tensor]) -> None:
    error = outcome(answer)
    assert isinstance(error, JobFailed)
    assert "not one row for each" in error.detail


def test_outputs_that_change_their_width_fail_the_job_and_the_engine_goes_on() -> None:
    error = outcome(lambda x: x[:, : x.shape[0]], batch_rows=3)  # passes of 3 and of 2 rows
    assert isinstance(error, JobFailed)
    assert "[3] for some rows and [2] for others" in error.detail


def test_rows_of_a_good_model_come_back() -> None:
    answer = outcome(lambda x: 2 * x, batch_rows=3)
    assert isinstance(answer, tuple)
    assert torch.equal(answer[0], 2 * torch.arange(20.0).reshape(ROWS, 4))


def test_the_log_has_the_stack_of_what_the_model_raised_and_no_data() -> None:
    def refuse(x: Tensor) -> Tensor:
        raise ValueError(f"cannot take {x.tolist()}")

    with structlog.testing.capture_logs() as logs:
        error = outcome(refuse)
    assert isinstance(error, JobFailed)
    assert error.detail == "the model raised ValueError on this input"
    (entry,) = [entry for entry in logs if entry["event"] == "the model raised"]
    assert entry["exception"].endswith("ValueError")
    assert "in refuse" in entry["exception"]
    assert "17.0" not in str(entry)
