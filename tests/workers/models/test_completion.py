"""A model answers before its rule modules are proven: with hooks, as truly, and its card says so."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from captum.attr import DeepLift, GuidedBackprop
from torch import Tensor, nn

from schemas import methods as spec
from schemas.methods import METHODS, AnyMethod
from schemas.models import ModelCard
from tests.workers.models.measurements.entries import device_with
from tests.workers.toys import RunningJob, problem_of
from workers.engine.engine import Engine
from workers.engine.view import ModelView
from workers.models import module_copies
from workers.models.card import UNPROVEN
from workers.models.pipeline import load_model, load_usable
from workers.models.pool import ModelPool
from workers.models.stages import UsableModel
from workers.transform.rules import RuleChoice

TIMEOUT_S = 60
RULES = {"rescale", "guided", "deconvolution"}
RULED = {name for name, method in METHODS.items() if method.backward_rule}
X = torch.randn(1, 3, 40, 40, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
TOML = """
name = "picture"
factory = "model.py:build"
[input]
kind = "tensor"
shapes = [[3, 40, 40]]
dtype = "float64"
"""
# A ReLU that is called twice: hooks need a hookable copy.
PY = """
import torch
from torch import nn


class Picture(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 5, stride=4), nn.Conv2d(4, 4, 3)
        self.relu, self.last = nn.ReLU(), nn.Linear(4, 2)

    def forward(self, x):
        x = self.relu(self.second(self.relu(self.first(x))))
        return self.last(x.mean((2, 3)))


def build():
    torch.manual_seed(0)
    return Picture().double().eval()
"""


class Held:
    """Holds the proof of rule modules until it is let go, or lets it fail."""

    def __init__(self, prove: Callable[..., RuleChoice]) -> None:
        self.entered, self.let_go = threading.Event(), threading.Event()
        self.error: Exception | None = None
        self.view: ModelView | None = None
        self._prove = prove

    def __call__(self, view: ModelView, *args: Any) -> RuleChoice:
        self.view = view
        self.entered.set()
        assert self.let_go.wait(TIMEOUT_S)
        if self.error is not None:
            raise self.error
        return self._prove(view, *args)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    held = Held(module_copies.make_rule_modules)
    monkeypatch.setattr(module_copies, "make_rule_modules", held)
    yield held
    held.let_go.set()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "models" / "picture"
    folder.mkdir(parents=True)
    (folder / "model.toml").write_text(TOML)
    (folder / "model.py").write_text(PY)
    return folder


@pytest.fixture
def pool(folder: Path, held: Held) -> Iterator[ModelPool]:
    pool = ModelPool([folder.parent], device_with(None))
    pool.start()
    yield pool
    held.let_go.set()
    pool.stop()


def solo_reasons(card: ModelCard) -> dict[str, str | None]:
    return {one.name: one.solo_reason for one in card.methods if one.name in RULED and one.supported}


def without_reasons(card: ModelCard) -> dict[str, Any]:
    return card.model_dump(exclude={"methods", "start_s"}) | {
        "methods": [one.model_dump(exclude={"solo_reason"}) for one in card.methods]
    }


def attributions(engine: Engine, method: AnyMethod) -> Tensor:
    return RunningJob(engine, method, problem_of([X], [1])).result(TIMEOUT_S).attributions[0]


def captum(engine: Engine, name: str) -> Tensor:
    """What Captum finds on the same layers, each ReLU a module of its own."""
    model = engine.view.module
    plain = nn.Sequential(
        model.first, nn.ReLU(), model.second, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), model.last
    )
    if name == "deep_lift":
        found = DeepLift(plain).attribute(X.clone(), torch.zeros_like(X), target=1)
    else:
        found = GuidedBackprop(plain).attribute(X.clone(), target=1)
    return found.detach()


def assert_right(engine: Engine) -> None:
    for method in (spec.DeepLift(), spec.GuidedBackprop()):
        torch.testing.assert_close(attributions(engine, method), captum(engine, method.name), rtol=1e-9, atol=1e-12)


def passes(engine: Engine, rule: str) -> list[int]:
    """Counts the forwards of a rule module from now on."""
    ran: list[int] = []
    engine.view.rule_modules[rule].register_forward_pre_hook(lambda _module, _args: ran.append(1))
    return ran


def test_jobs_that_come_before_the_proof_take_the_solo_lane_and_are_right(folder: Path) -> None:
    usable = load_usable(folder, device_with(None))
    engine = usable.model.engine.start()
    try:
        assert engine.view.rule_modules == {}
        assert usable.model.engine.view.hookable is not None
        reasons = solo_reasons(usable.model.card)
        assert {"deep_lift", "guided_backprop", "deconvolution"} <= set(reasons)
        assert set(reasons.values()) == {UNPROVEN}
        assert_right(engine)
        assert usable.complete is not None
        completed = usable.complete()
        assert completed.engine is engine
        assert set(engine.view.rule_modules) == RULES
        assert set(solo_reasons(completed.card).values()) == {None}
        assert without_reasons(completed.card) == without_reasons(usable.model.card)
        ran = passes(engine, "rescale")
        assert_right(engine)
        assert ran
    finally:
        engine.stop()


def test_a_whole_load_has_proven_all(folder: Path) -> None:
    model = load_model(folder, device_with(None))
    assert set(model.engine.view.rule_modules) == RULES
    assert set(solo_reasons(model.card).values()) == {None}


def test_a_job_that_comes_during_the_proof_does_not_wait_for_it(pool: ModelPool, held: Held) -> None:
    (resident,) = pool.resident().values()
    (key,) = pool.serving()
    assert held.entered.wait(TIMEOUT_S)
    before = pool.state()
    assert_right(resident.engine)
    (card,) = pool.cards()
    assert card.status == "ready"
    assert set(solo_reasons(card).values()) == {UNPROVEN}
    held.let_go.set()
    with pool._changed:
        assert pool._changed.wait_for(lambda: not pool._slots[key].incomplete, TIMEOUT_S)
    assert pool.state() != before  # so the card is announced again
    assert set(resident.engine.view.rule_modules) == RULES
    (proven,) = pool.cards()
    assert set(solo_reasons(proven).values()) == {None}
    assert without_reasons(proven) == without_reasons(card)
    assert_right(resident.engine)


def test_a_proof_that_fails_leaves_the_solo_lane_and_the_reason(pool: ModelPool, held: Held) -> None:
    (resident,) = pool.resident().values()
    (key,) = pool.serving()
    held.error = RuntimeError("no memory today")
    held.let_go.set()
    with pool._changed:
        assert pool._changed.wait_for(lambda: not pool._slots[key].incomplete, TIMEOUT_S)
    assert resident.engine.view.rule_modules == {}
    (card,) = pool.cards()
    assert card.status == "ready"
    assert set(solo_reasons(card).values()) == {"RuntimeError: no memory today"}
    assert pool.alive
    assert_right(resident.engine)


def test_an_unload_during_the_proof_takes_the_model_out_of_memory_after_it(pool: ModelPool, held: Held) -> None:
    (key,) = pool.serving()
    assert held.entered.wait(TIMEOUT_S)
    pool.unload([key])
    assert not pool.settled([key])
    held.let_go.set()
    with pool._changed:
        assert pool._changed.wait_for(lambda: pool.settled([key]), TIMEOUT_S)
    assert pool.cards()[0].status == "unloaded"
    assert pool.resident() == {}
    assert pool.load("picture", None) == [key]
    with pool._changed:
        assert pool._changed.wait_for(lambda: key in pool.resident(), TIMEOUT_S)


def test_the_proof_runs_on_modules_that_no_job_hooks(folder: Path, held: Held) -> None:
    usable = load_usable(folder, device_with(None))
    held.let_go.set()
    assert usable.complete is not None
    usable.complete()
    assert held.view is not None
    live = {
        id(one)
        for module in (usable.model.engine.view.module, usable.model.engine.view.hook_module)
        for one in module.modules()
    }
    proven = [one for module in (held.view.module, held.view.hook_module) for one in module.modules()]
    assert not live & {id(one) for one in proven}
    shared = {one.data_ptr() for one in usable.model.engine.view.module.parameters()}
    assert {one.data_ptr() for one in held.view.module.parameters()} == shared


TIED = """

class Tied(Picture):
    def __init__(self):
        super().__init__()
        kept = {}
        self.first.register_forward_hook(lambda _m, _a, out: kept.update(first=out))
        self.relu.register_forward_hook(lambda _m, _a, out: out + 0.0 * kept["first"].sum())


def build():
    torch.manual_seed(0)
    return Tied().double().eval()
"""


def test_a_model_whose_copies_share_values_with_it_is_proven_before_its_jobs(folder: Path) -> None:
    with (folder / "model.py").open("a") as code:
        code.write(TIED)
    usable = load_usable(folder, device_with(None))
    assert usable.complete is None
    assert UNPROVEN not in solo_reasons(usable.model.card).values()


def complete_of(usable: UsableModel) -> Callable[[], object]:
    assert usable.complete is not None
    return usable.complete


def test_measurements_are_kept_once_all_is_proven(folder: Path, tmp_path: Path, held: Held) -> None:
    kept = tmp_path / "kept"
    first = load_usable(folder, device_with(kept))
    assert not kept.exists()
    held.error = RuntimeError("no memory today")
    held.let_go.set()
    complete_of(first)()
    assert not kept.exists()  # another time may have another outcome
    held.error = None
    second = load_usable(folder, device_with(kept))
    complete_of(second)()
    assert len(list(kept.iterdir())) == 1
    third = load_usable(folder, device_with(kept))
    assert third.complete is None
    assert set(third.model.engine.view.rule_modules) == RULES
    assert set(solo_reasons(third.model.card).values()) == {None}
