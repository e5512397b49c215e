"""Everything about one picture: auto's rows and errors, and the fixed rule's rows for equal errors."""

from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load, save

from benchmarks.steps.fixed_rule import COUNTS, counts_of_equal_error, fixed_rule_errors
from benchmarks.steps.reference import Reference
from broker import Claim
from schemas.jobs import JobSpec
from schemas.methods import IntegratedGradients, stored_fields
from schemas.picture_view import PictureView
from workers.jobs.job import ClaimedJob
from workers.jobs.single import run_single
from workers.models.resident import ResidentModel

MODEL = "efficientnet-lite0"
END_ROWS = 2  # for f(input) and f(baseline)


def measure(model: ResidentModel, name: str, picture: Image.Image, *, check: bool) -> dict[str, Any]:
    """One entry of `steps.json`. With `check` the worker also runs the count for `both`; `run` holds its errors."""
    seen, _ = PictureView.of(model.adapter.card).apply(picture)
    payload = save({"pixels": torch.from_numpy(np.array(seen))})
    attributions, meta = explain(model, payload, "auto")
    reference = Reference(model, payload, meta.target[0].index)
    auto = reference.errors(attributions)
    curve = fixed_rule_errors(reference)
    counts = counts_of_equal_error(curve, auto["completeness"], auto["l2"], meta.convergence.tolerance)
    (steps,) = meta.convergence.counts
    return {
        "name": name,
        "target": meta.target[0].label,
        "difference": reference.difference,
        "auto": {"rows": meta.timing.rows, "steps": steps, "passes": meta.timing.passes, **auto},
        "estimated_map_error": meta.convergence.map_errors[0],
        "fixed_rows": {sense: count + END_ROWS for sense, count in counts.items()},
        "run": reference.errors(explain(model, payload, counts["both"])[0]) if check else None,
        "fixed_50": dict(zip(("completeness", "l2"), curve[COUNTS.index(50)].tolist(), strict=True)),
    }


def explain(model: ResidentModel, payload: bytes, n_steps: Any) -> tuple[torch.Tensor, Any]:
    """Runs one job as the worker does. Returns the attributions and the result's description."""
    method = IntegratedGradients(n_steps=n_steps, baseline="zero")
    spec = JobSpec(
        model=MODEL,
        version="1",
        method=stored_fields(method),
        input_kind="image",
        examples=1,
        rows=1,
        target=None,
        seed=0,
    )
    claim = Claim(job_id="job", spec=spec, payload=payload, attempt=1, token="", created_ms=0, started_ms=0)
    done = run_single(model, ClaimedJob(claim))
    return load(done.tensors)["input"], done.meta
