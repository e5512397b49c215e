"""Writes `docs/parity.md` from the tables that the parity tests run: `python -m tests.workers.methods.parity_page`."""

from collections import defaultdict

from schemas.methods import METHOD_NAMES, AnyMethod
from tests.paths import ROOT
from tests.workers.methods import test_parity_models, test_parity_toys
from tests.workers.shipped import MODELS, methods_for

PAGE = ROOT / "docs" / "parity.md"
HEAD = f"""# Parity with Captum

`python -m tests.workers.methods.parity_page` writes this page from the tables that `make test` runs. A test fails when
the page is out of date.

Every case ran once in the engine and once as a direct Captum call on the same input
(`tests/workers/methods/captum_calls.py`). The two results are compared by max |a - b| / max |b|:

- **toys**, float64, at most {test_parity_toys.TOLERANCE:g}. The models: a perceptron (`mlp`), a convolutional net with
  batch norm and max pooling (`conv`), a model of two inputs (`two`), a regression (`scalar`), one with a score per
  class and place (`places`), one that returns a dataclass (`fields`), and one of token ids with an LSTM (`ids`),
  explained at its embedding. Each case runs with one example, and with three that have their own targets and
  baselines. Each runs alone, and at the same time as {test_parity_toys.BESIDE} jobs of other methods on the same model.
- **shipped models**, float32, at most {test_parity_models.TOLERANCE:g}. Each method runs alone, and 17 jobs of mixed
  methods run at once. Captum is called on the module that the engine runs. In the shared lane this is the optimized
  module (batch norms folded, channels last), which equals the model to {test_parity_models.IN_FLOAT64:g} in float64. In
  that comparison and on the toys, Captum is called on the model itself. Where a model is missing, its card gives the
  reason (LRP has no rule for some layers, guided Grad-CAM needs maps).

| method | toys | parameters compared | shipped models |
|---|---|---|---|
"""


def page() -> str:
    """The whole page."""
    toys: dict[str, set[str]] = defaultdict(set)
    variants: dict[str, list[str]] = defaultdict(list)
    for case in test_parity_toys.CASES:
        name = case.method.name
        toys[name].add(case.model)
        changed = _changed(case.method)
        if changed not in variants[name]:
            variants[name].append(changed)
    lines = []
    for name in METHOD_NAMES:
        shipped = [model for model in MODELS if any(m.name == name for m in methods_for(model))]
        parameters = "; ".join(variants[name])
        lines.append(f"| `{name}` | {', '.join(sorted(toys[name]))} | {parameters} | {', '.join(shipped) or '-'} |")
    return HEAD + "\n".join(lines) + "\n"


def _changed(method: AnyMethod) -> str:
    """Parameters other than Captum's defaults, without the layer and the unit."""
    fields = type(method).model_fields
    changed = [
        f"{key}={value}"
        for key, value in method
        if key not in {"layer", "neuron_selector", "name"} and value != fields[key].default
    ]
    return ", ".join(changed) or "defaults"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
