"""Writes `docs/parity.md` from the tables that the parity tests run: `python -m tests.workers.methods.parity_page`."""

from collections import defaultdict

from schemas.methods import METHOD_NAMES, AnyMethod
from tests.paths import ROOT
from tests.workers.methods import test_parity_models, test_parity_toys
from tests.workers.shipped import MODELS, methods_for

PAGE = ROOT / "docs" / "parity.md"
HEAD = f"""# Parity with Captum

Written by `python -m tests.workers.methods.parity_page` from the tables that `make test` runs; a test fails when
it is out of date.

Every line was computed by the engine and by a direct Captum call on the same input (in
`tests/workers/methods/captum_calls.py`) and compared by max |a - b| / max |b|:

- **toys**, float64, at most {test_parity_toys.TOLERANCE:g}: a perceptron, a convolutional net with batch norm and max
  pooling, a model of two inputs, a regression, one with a score per class and place (`places`), one that answers
  a dataclass (`fields`), and one of token ids with an LSTM (`ids`), explained at its embedding; one example, and three
  with targets and baselines of their own; each alone, and beside {test_parity_toys.BESIDE} jobs of other methods on
  the same model;
- **shipped models**, float32, at most {test_parity_models.TOLERANCE:g}: each alone, and 17 of mixed methods at once.
  Captum is called on the module that the engine runs. For rows of shared passes this is a leaner copy of the model
  (batch norms folded, channels last), which equals the model to {test_parity_models.IN_FLOAT64:g} in float64;
  there, and on the toys, Captum is called on the model itself.
  Where a model is missing, its card gives the reason (LRP has no rule for some layers, guided Grad-CAM needs maps).

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
        told = "; ".join(variants[name])
        lines.append(f"| `{name}` | {', '.join(sorted(toys[name]))} | {told} | {', '.join(shipped) or '-'} |")
    return HEAD + "\n".join(lines) + "\n"


def _changed(method: AnyMethod) -> str:
    """Parameters other than Captum's defaults, without the layer and the unit."""
    fields = type(method).model_fields
    told = [
        f"{key}={value}"
        for key, value in method
        if key not in {"layer", "neuron_selector", "name"} and value != fields[key].default
    ]
    return ", ".join(told) or "defaults"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
