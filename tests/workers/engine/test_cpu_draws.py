"""Random numbers are the CPU's on every device: draws for another one are made on the CPU and moved."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.distributions import Categorical, Normal

from tests.workers.engine.elsewhere import DEVICE, Elsewhere, held, moved
from workers.engine.randomness import RandomStream

Draw = Callable[[torch.device, Callable[[Tensor], Tensor]], Tensor]
DRAWS: dict[str, Draw] = {
    "normal around a tensor": lambda _, put: torch.normal(0, put(torch.full((3, 4), 2.0))),
    "normal of two tensors": lambda _, put: torch.normal(put(torch.ones(5)), put(torch.full((5,), 0.1))),
    "normal of a size": lambda device, _: torch.normal(1.0, 2.0, (4,), device=device),
    "rand": lambda device, _: torch.rand(2, 3, device=device, dtype=torch.float64),
    "randn": lambda device, _: torch.randn(7, device=device),
    "randint": lambda device, _: torch.randint(10, (6,), device=device),
    "randperm": lambda device, _: torch.randperm(9, device=device),
    "rand_like": lambda _, put: torch.rand_like(put(torch.zeros(5, 2))),
    "randn_like": lambda _, put: torch.randn_like(put(torch.zeros(5, dtype=torch.float64))),
    "randn_like there": lambda device, _: torch.randn_like(torch.zeros(5), device=device),
    "randint_like": lambda _, put: torch.randint_like(put(torch.zeros(5)), 3, 9),
    "bernoulli": lambda _, put: torch.bernoulli(put(torch.full((20,), 0.5))),
    "multinomial": lambda _, put: torch.multinomial(put(torch.ones(6)), 4),
    "poisson": lambda _, put: torch.poisson(put(torch.full((8,), 3.0))),
    "normal in place": lambda _, put: put(torch.zeros(4)).normal_(1.0, 3.0),
    "uniform in place": lambda _, put: put(torch.zeros(4)).uniform_(-1, 1),
    "bernoulli in place": lambda _, put: put(torch.zeros(9)).bernoulli_(0.3),
    "exponential in place": lambda _, put: put(torch.zeros(9)).exponential_(),
    "random integers in place": lambda _, put: put(torch.zeros(9)).random_(0, 5),
    "a distribution": lambda _, put: Normal(put(torch.zeros(3)), put(torch.ones(3))).sample((2,)),
    "a categorical": lambda _, put: Categorical(put(torch.tensor([0.2, 0.8]))).sample((6,)),
    "dropout": lambda _, put: F.dropout(put(torch.ones(30)), 0.5, training=True),
    "gumbel": lambda _, put: F.gumbel_softmax(put(torch.zeros(4))),
    "a generator of the CPU": lambda device, _: torch.randn(3, generator=torch.Generator().manual_seed(3)).to(device),
}
COMPUTED = {"gumbel"}  # logarithms and a softmax of the draws, which each device rounds in its own way


def cuda() -> list[torch.device]:
    """The machine's own, where it has one."""
    return [torch.device("cuda")] if torch.cuda.is_available() else []


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_a_seed_draws_the_same_for_another_device(draw: Draw) -> None:
    expected = on_the_cpu(draw)
    with Elsewhere() as elsewhere, RandomStream(5, DEVICE):
        given = draw(DEVICE, moved)
        after = torch.rand(1)
    assert given.device == DEVICE
    assert elsewhere.drawn == []
    assert torch.equal(held(given), expected[0])
    assert torch.equal(after, expected[1])  # the CPU's generator has advanced as far


@pytest.mark.parametrize("name", DRAWS)
def test_a_seed_draws_the_same_on_each_device_here(name: str) -> None:
    draw = DRAWS[name]
    for device in [torch.device("cpu"), *cuda()]:
        with RandomStream(5, device):
            given = draw(device, lambda tensor, device=device: tensor.to(device))  # type: ignore[misc]
        assert given.device.type == device.type
        expected = on_the_cpu(draw)[0]
        if name in COMPUTED and device.type != "cpu":
            torch.testing.assert_close(given.cpu(), expected)
        else:
            assert torch.equal(given.cpu(), expected)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("shape", [(40,), (3, 7), (2, 3, 4, 4)])
def test_a_fused_dropout_drops_what_the_cpus_drops(p: float, shape: tuple[int, ...]) -> None:
    """CUDA's `F.dropout` is one operation, which the CPU's is not."""
    torch.manual_seed(5)
    expected = F.dropout(torch.ones(shape), p, training=True), torch.rand(1)
    with Elsewhere() as elsewhere, RandomStream(5, DEVICE):
        given, stay = torch.native_dropout(moved(torch.ones(shape)), p, True)
        after = torch.rand(1)
        whole, _ = torch.native_dropout(moved(torch.ones(shape)), p, False)
    assert elsewhere.drawn == []
    assert torch.equal(held(given), expected[0])
    assert torch.equal(held(stay), expected[0] != 0)
    assert torch.equal(after, expected[1])
    assert torch.equal(held(whole), torch.ones(shape))


def test_without_the_stream_the_stand_in_draws() -> None:
    with Elsewhere() as elsewhere:
        torch.normal(0, moved(torch.ones(3)))
        torch.rand(3, device=DEVICE)
    assert elsewhere.drawn == ["aten.normal.float_Tensor", "aten.rand.default"]


def test_what_is_left_as_it_was() -> None:
    """The stream of another device pauses and resumes as the CPU's does, and touches no other operation."""
    with Elsewhere() as elsewhere:
        stream = RandomStream(8, DEVICE)
        with stream:
            first = torch.randn(2, device=DEVICE)
            with stream.paused():
                torch.rand(100)
            second = torch.randn(2, device=DEVICE) + moved(torch.ones(2))
        torch.rand(1, device=DEVICE)
    assert elsewhere.drawn == ["aten.rand.default"]  # the last, behind the stream
    with RandomStream(8, torch.device("cpu")):
        assert torch.equal(held(first), torch.randn(2))
        assert torch.equal(held(second), torch.randn(2) + 1)


def on_the_cpu(draw: Draw) -> tuple[Tensor, Tensor]:
    torch.manual_seed(5)
    return draw(torch.device("cpu"), lambda tensor: tensor), torch.rand(1)
