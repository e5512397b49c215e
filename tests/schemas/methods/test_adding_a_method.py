"""Adds a toy method to a copy of the tree as CONTRIBUTING.md says, and runs it through service and worker there."""

import os
import subprocess
import sys
from pathlib import Path
from shutil import copytree, ignore_patterns

import pytest

from tests.paths import ROOT

CLASS = """

class ScaledGradient(BaseMethod):
    lane = "shared"
    gradients = TO_INPUT

    name: Literal["scaled_gradient"] = "scaled_gradient"
    scale: Annotated[float, Field(gt=0.0, le=10.0, description="A factor of the toy.")] = 2.0

    def cost(self, sizes: Sizes) -> Cost:
        return Cost.of(1, "gradient")

    @property
    def yields_rates(self) -> bool:
        return True
"""
CAPTUM_CALL = """

def scaled_gradient(method: spec.ScaledGradient, seams: Seams, subject: ExplainInputs, batch_rows: int) -> Tensors:
    gradient = _over_seam(captum.Saliency(seams.forward), seams)
    found = detached(gradient.attribute(subject.inputs, **_common(subject), abs=False))
    return tuple(method.scale * one for one in found)


CALLS: SharedCalls = {
    spec.ScaledGradient: scaled_gradient,
"""
FACTS = """
[scaled_gradient]
family = "gradient"
uses_gradients = true
uses_baseline = false
cost = "2"
reference = "A toy"
reference_url = "https://example.org/toy"
"""
PARAMETER = """
[[text]]
en = "A factor of the toy."
es = "Un factor del juguete."
"""
FIELDS = ("title", "idea", "typical_results", "analogy", "when", "when_not")
EDITS = {  # file: text to look for, empty for the end of the file, and what takes its place
    "schemas/methods/gradient_methods.py": ("", CLASS),
    "schemas/methods/__init__.py": ("    Saliency,\n", "    Saliency,\n    ScaledGradient,\n"),
    "workers/methods/shared/gradient.py": ("\n\nCALLS: SharedCalls = {\n", CAPTUM_CALL),
    "service/catalogue/facts.toml": ("", FACTS),
    "service/catalogue/parameters.es.toml": ("", PARAMETER),
}
RUN = """
import torch
from captum.attr import Saliency as CaptumSaliency

from schemas.methods import METHODS, stored_fields, stored_method
from schemas.requests import ExplainRequest
from service.catalogue.guides import catalogue
from service.languages import LANGUAGES
from service.submission import prepare
from tests.service.cards import table_card
from tests.service.validation.refusals import row
from tests.workers.toys import ToyMlp, frozen, problem_of, view_of
from workers.engine.engine import Engine
from workers.engine.task import Task
from workers.methods.captum_changes import install
from workers.methods.explain import explain

parameters = {"name": "scaled_gradient", "scale": 3.0}
submission = prepare(ExplainRequest.model_validate(row(method=parameters)), table_card())
assert submission.rows == 2, submission.rows
assert submission.spec.method == parameters
for language in LANGUAGES:
    assert any(guide.name == "scaled_gradient" for guide in catalogue(language).methods)

install()
method = stored_method(submission.spec.method)
assert type(method) is METHODS["scaled_gradient"] and stored_fields(method) == parameters
model = frozen(ToyMlp())
inputs = torch.randn(3, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
engine = Engine(view_of(model), batch_rows=8, threads=1).start()
try:
    found = explain(engine, Task("toy"), method, problem_of([inputs], targets=[0, 1, 2])).attributions[0]
finally:
    engine.stop()
expected = 3.0 * CaptumSaliency(model).attribute(inputs.clone().requires_grad_(), target=[0, 1, 2], abs=False)
torch.testing.assert_close(found, expected.detach(), rtol=0, atol=1e-12)
print("explained")
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the packages to which the toy method is added."""
    for package in ("schemas", "broker", "service", "workers"):
        copytree(ROOT / package, tmp_path / package, ignore=ignore_patterns("__pycache__"))
    for language in ("en", "es"):
        texts = "".join(f'{field} = "{field} of a toy, {language}"\n' for field in FIELDS)
        _edit(tmp_path / "service" / "catalogue" / f"{language}.toml", "", f"\n[methods.scaled_gradient]\n{texts}")
    for name, (old, new) in EDITS.items():
        _edit(tmp_path / name, old, new)
    return tmp_path


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1 or not old, path
    path.write_text(text.replace(old, new) if old else text + new, encoding="utf-8")


def test_a_method_is_its_class_its_captum_call_and_its_texts(tree: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": f"{tree}{os.pathsep}{ROOT}"}
    done = subprocess.run(
        [sys.executable, "-P", "-c", RUN], cwd=tree, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "explained"
