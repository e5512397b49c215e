"""TF32 is on only within passes that ask for it."""

import threading
from collections.abc import Iterator

import pytest
import torch

from schemas.precision import Precision
from workers.engine.device.tf32 import forbid_tf32, passes_in, without_tf32


def flags() -> tuple[bool, bool]:
    return torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    before = flags()
    yield
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = before


@pytest.mark.parametrize("precision", ["float32", "tf32", "float16", "bfloat16"])
def test_the_flags_follow_the_precision_and_go_off_again(precision: Precision) -> None:
    forbid_tf32()
    with passes_in(precision):
        assert flags() == (precision == "tf32",) * 2
    assert flags() == (False, False)
    with pytest.raises(ZeroDivisionError), passes_in(precision):
        _ = 1 // 0
    assert flags() == (False, False)


def test_passes_in_tf32_wait_while_it_is_forbidden() -> None:
    entered = threading.Event()

    def run() -> None:
        with passes_in("tf32"):
            entered.set()

    thread = threading.Thread(target=run)
    with without_tf32():
        thread.start()
        assert not entered.wait(0.05)
        assert flags() == (False, False)
    assert entered.wait(30)
    thread.join(30)
