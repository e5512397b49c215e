"""E_alg: how many rows `"n_steps": "auto"` takes, and how many the fixed rule takes for errors as small.

    .venv/bin/python -m benchmarks.steps              # 50 pictures; goes on where it was stopped
    .venv/bin/python -m benchmarks.steps --pictures 5 --out /tmp/steps

Pictures are crops and alterations of those under CC0 or in the public domain that come inside scikit-image. Every
explanation is made by the worker's own function on EfficientNet-Lite0, for the predicted class, from the default
baseline. Errors are taken against a long reference: the gradients at 153 points of the path, dense where it is rough.

Two errors count. Completeness: |sum of attributions - (f(input) - f(baseline))| / |f(input) - f(baseline)|, which is
what `tolerance` bounds. Map: the L2 distance of the attributions from the reference, relative to its norm. The smallest
fixed Gauss-Legendre count is given in five senses:

    both     the first count whose completeness and map errors are both at most auto's: equal error; E_alg is this one
    within   the first count within the tolerance whose map error is at most auto's
    map      the first count whose map error is at most auto's
    first    the first count whose completeness error is at most auto's, though it may be larger again at the next
    stays    the count from which on the completeness error stays at most auto's

Fixed counts are looked for on the reference's points, between which slopes and gradients are interpolated. A gradient
between two points is not their mean: along the path gradients wander like a Brownian motion, and the map error is given
the variance of the bridge, share (1 - share) |right - left|^2. Without it the fixed rule's map error would look smaller
than it is, the more so the fewer points there are. Of every seventh picture the count for `both` is run through the
worker too; `run` holds its errors. All counts are rows, both ends of the path, which every rule needs, among them.
"""

import argparse
import json
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import skimage.data
import torch
from matplotlib import pyplot as plt
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import load, save

from broker import Claim
from schemas.jobs import JobSpec
from schemas.methods import IntegratedGradients, stored_fields
from schemas.picture_view import PictureView
from workers.engine.allocator import keep_freed_memory
from workers.engine.gate import DeviceGate
from workers.engine.seams import Seams
from workers.engine.task import Task
from workers.jobs.job import ClaimedJob
from workers.jobs.single import run_single
from workers.models.load import Device, ResidentModel, load_model

MODEL = "efficientnet-lite0"
FILES = [f"{name}.png" for name in ("chelsea", "astronaut", "coffee", "camera", "brick", "grass", "gravel", "cell")]
FILES += ["rocket.jpg", "retina.jpg"]
POINTS = (32, 32, 24, 16, 16)  # of the reference, by octave: from 1/2 to 1, from 1/4 to 1/2, …
NEAREST = 32  # and from the baseline to the last octave
CHECKED = 7  # every so many pictures the fixed count is run
COUNTS = [*range(1, 129), *range(132, 257, 4), *range(272, 513, 16)]  # fixed counts that are looked at
ENDS = 2  # rows for f(input) and f(baseline)
SKETCH = 2048  # random sums that stand for a gradient of 150,528 elements: their norm is its own within 3 %
Floats = NDArray[np.float64]


def pictures(count: int) -> Iterator[tuple[str, Image.Image]]:
    """Named pictures, variant by variant: whole, then cropped, mirrored, lit anew, turned."""
    for number in range(count):
        variant, which = divmod(number, len(FILES))
        name = FILES[which]
        picture = Image.open(Path(skimage.data.__file__).parent / name).convert("RGB")
        rng = np.random.default_rng(1000 * which + variant)
        if variant:
            side = int(min(picture.size) * rng.uniform(0.5, 0.95))
            left, top = (int(rng.integers(0, edge - side + 1)) for edge in picture.size)
            picture = picture.crop((left, top, left + side, top + side))
        if variant in (2, 4):
            picture = picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        if variant in (3, 4):
            lit = np.asarray(picture, np.float32) * rng.uniform(0.6, 1.4)
            picture = Image.fromarray(lit.clip(0, 255).astype(np.uint8))
        if variant == 4:
            angle = float(rng.uniform(-15, 15))
            picture = picture.rotate(angle, Image.Resampling.BICUBIC, fillcolor=(127, 127, 127))
        yield f"{name.partition('.')[0]}-{variant}", picture


@cache
def legendre(count: int) -> tuple[Floats, Floats]:
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return nodes, weights


class Reference:
    """The path of one picture at many points, and what any rule would make of it."""

    def __init__(self, model: ResidentModel, payload: bytes, target: int) -> None:
        prepared = model.adapter.prepare(load(payload), model.engine.view.device)
        (x,) = prepared.inputs
        alphas = [2.0**-octave * (1 + k / n) / 2 for octave, n in enumerate(POINTS) for k in range(n)]
        alphas += [2.0 ** -len(POINTS) * k / NEAREST for k in range(NEAREST)]
        self.alphas = np.unique([*alphas, 1.0])
        generator = torch.Generator().manual_seed(0)
        cells = torch.randint(0, SKETCH, (x.numel(),), generator=generator)
        signs = torch.randint(0, 2, (x.numel(),), generator=generator) * 2.0 - 1.0
        widths = np.diff(self.alphas)
        weights = np.concatenate([widths, [0.0]]) / 2 + np.concatenate([[0.0], widths]) / 2
        self._cells, self._signs = cells, signs
        self.map = torch.zeros(x.numel(), dtype=torch.float64)  # sum of weighted gradients times x
        task = Task("reference")
        seams = Seams(model.engine, task)
        model.engine.enter(task)
        outputs, slopes, sketches = [], [], []
        for some, w in zip(np.array_split(self.alphas, 8), np.array_split(weights, 8), strict=True):
            a = torch.tensor(some, dtype=x.dtype).reshape(-1, 1, 1, 1)
            (gradients,), output = seams.gradient_and_output((a * x,), [target] * len(some))
            rows = (gradients * x).flatten(1)
            outputs.append(output.double().numpy())
            slopes.append(rows.sum(dim=1, dtype=torch.float64).numpy())
            sketches.append(self._sketch(rows).numpy())
            self.map += torch.from_numpy(w) @ rows.double()
        model.engine.leave(task)
        self.rows = task.rows
        self.outputs, self.slopes, self.sketches = (np.concatenate(p) for p in (outputs, slopes, sketches))
        self.difference = float(self.outputs[-1] - self.outputs[0])

    def _sketch(self, rows: torch.Tensor) -> torch.Tensor:
        return torch.zeros(len(rows), SKETCH).index_add_(1, self._cells, rows * self._signs)

    def errors(self, attributions: torch.Tensor) -> dict[str, float]:
        """Of a whole map: completeness, and distances from the reference."""
        flat = attributions.flatten().double()
        apart = flat - self.map
        return {
            "completeness": abs(float(flat.sum()) - self.difference) / abs(self.difference),
            "l2": float(apart.norm() / self.map.norm()),
            "l1": float(apart.abs().sum() / self.map.abs().sum()),
        }

    def fixed(self) -> Floats:
        """(counts, 2) completeness and map errors of Gauss-Legendre with each count, interpolated."""
        whole = self._sketch(self.map.float().unsqueeze(0)).numpy()[0]
        bridges = np.square(np.diff(self.sketches, axis=0)).sum(axis=1)
        found = []
        for count in COUNTS:
            nodes, weights = legendre(count)
            spread = np.zeros(len(self.alphas))
            at = (nodes + 1) / 2
            left = np.searchsorted(self.alphas, at, side="right") - 1
            share = (at - self.alphas[left]) / (self.alphas[left + 1] - self.alphas[left])
            np.add.at(spread, left, weights / 2 * (1 - share))
            np.add.at(spread, left + 1, weights / 2 * share)
            missed = np.square(spread @ self.sketches - whole).sum()
            missed += (np.square(weights / 2) * share * (1 - share) * bridges[left]).sum()
            completeness = abs(spread @ self.slopes - self.difference) / abs(self.difference)
            found.append([completeness, np.sqrt(missed) / np.linalg.norm(whole)])
        return np.array(found)


def explain(model: ResidentModel, payload: bytes, n_steps: Any) -> tuple[torch.Tensor, Any]:
    """One job, as the worker runs it: attributions and the result's description."""
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


def measure(model: ResidentModel, name: str, picture: Image.Image, *, check: bool) -> dict[str, Any]:
    """Everything about one picture; `check` runs the fixed count that was found."""
    seen, _ = PictureView.of(model.adapter.card).apply(picture)
    payload = save({"pixels": torch.from_numpy(np.array(seen))})
    attributions, meta = explain(model, payload, "auto")
    reference = Reference(model, payload, meta.target[0].index)
    auto = reference.errors(attributions)
    curve = reference.fixed()
    reached = np.array([auto["completeness"], auto["l2"]])
    good: NDArray[np.bool_] = np.less_equal(curve, reached)
    counts = {
        "both": _first(good[:, 0] & good[:, 1]),
        "within": _first((curve[:, 0] <= meta.convergence.tolerance) & good[:, 1]),
        "map": _first(good[:, 1]),
        "first": _first(good[:, 0]),
        "stays": _stays(good[:, 0]),
    }
    (steps,) = meta.convergence.counts
    return {
        "name": name,
        "target": meta.target[0].label,
        "difference": reference.difference,
        "auto": {"rows": meta.timing.rows, "steps": steps, "passes": meta.timing.passes, **auto},
        "estimated_map_error": meta.convergence.map_errors[0],
        "fixed_rows": {sense: count + ENDS for sense, count in counts.items()},
        "run": reference.errors(explain(model, payload, counts["both"])[0]) if check else None,
        "fixed_50": dict(zip(("completeness", "l2"), curve[COUNTS.index(50)].tolist(), strict=True)),
    }


def _first(good: NDArray[np.bool_]) -> int:
    return int(COUNTS[int(good.argmax())] if good.any() else COUNTS[-1])


def _stays(good: NDArray[np.bool_]) -> int:
    bad = np.flatnonzero(~good)
    place = int(bad[-1]) + 1 if len(bad) else 0
    return int(COUNTS[min(place, len(COUNTS) - 1)])


def summary(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Medians and extremes; `ratio` is fixed rows over auto's."""
    ratios = {
        sense: [one["fixed_rows"][sense] / one["auto"]["rows"] for one in found]
        for sense in ("both", "within", "map", "first", "stays")
    }
    rows = [one["auto"]["rows"] for one in found]
    checked = [one for one in found if one["run"]]
    return {
        "pictures": len(found),
        "E_alg": round(median(ratios["both"]), 2),
        "ratio": {
            sense: {
                "median": round(median(values), 2),
                "least": round(min(values), 2),
                "needing_more_than_1.2_times": sum(value < 1 / 1.2 for value in values),
            }
            for sense, values in ratios.items()
        },
        "auto": {
            "rows": {"median": median(rows), "least": min(rows), "most": max(rows)},
            **{key: round(median(one["auto"][key] for one in found), 4) for key in ("completeness", "l2", "l1")},
        },
        "run": {key: round(median(one["run"][key] for one in checked), 4) for key in ("completeness", "l2", "l1")},
        "run_over_auto_l2": round(median(one["run"]["l2"] / one["auto"]["l2"] for one in checked), 2),
        "fixed_50": {key: round(median(one["fixed_50"][key] for one in found), 4) for key in ("completeness", "l2")},
        "estimated_over_true_map_error": round(median(o["estimated_map_error"] / o["auto"]["l2"] for o in found), 2),
    }


def draw(found: list[dict[str, Any]], path: Path) -> None:
    """Rows of each picture, auto's and the fixed rule's, as a PNG."""
    found = sorted(found, key=lambda one: one["fixed_rows"]["both"])
    places = np.arange(len(found))
    auto = [one["auto"]["rows"] for one in found]
    both, stays = ([one["fixed_rows"][sense] for one in found] for sense in ("both", "stays"))
    figure, axes = plt.subplots(figsize=(9.5, 4.8), layout="constrained")
    axes.vlines(places, auto, both, color="#c9ced6", linewidth=2, zorder=1)
    axes.plot(
        places,
        stays,
        "_",
        color="#9aa3af",
        markersize=7,
        label="fixed: completeness as good from there on (top: not by 512)",
    )
    axes.plot(places, both, "o", color="#b4531f", markersize=5, label="fixed: completeness and map as good")
    axes.plot(places, auto, "o", color="#1f5fa8", markersize=5, label='"n_steps": "auto"')
    axes.set_yscale("log")
    ticks = [10, 20, 50, 100, 200, 500]
    axes.set_yticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.set_xticks([])
    axes.set_xlim(-1, len(found))
    axes.set_ylim(top=1900)  # room for the legend
    axes.set_xlabel(f"{len(found)} pictures, by the rows that the fixed rule needs")
    axes.set_ylabel("model rows")
    ratio = median(b / a for a, b in zip(auto, both, strict=True))
    axes.set_title(
        f"Integrated Gradients on EfficientNet-Lite0: rows to equal error, {ratio:.1f} times fewer",
        loc="left",
        fontsize=11,
    )
    axes.grid(axis="y", color="#eceff3")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="upper left", ncols=2, fontsize=9)
    figure.savefig(path, dpi=140)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description="Rows of n_steps auto against the fixed rule, at equal error")
    parser.add_argument("--pictures", type=int, default=50)
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    asked = parser.parse_args()
    keep_freed_memory()  # as a CPU worker does
    asked.out.mkdir(parents=True, exist_ok=True)
    kept = asked.out / "steps.jsonl"  # a line per picture, so that a run that was stopped goes on
    found = [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []
    device = Device(torch.device("cpu"), asked.threads, 16, DeviceGate())
    model = load_model(asked.models / MODEL, device)
    model.engine.start()
    known = {one["name"] for one in found}
    for number, (name, picture) in enumerate(pictures(asked.pictures)):
        if name in known:
            continue
        found.append(measure(model, name, picture, check=number % CHECKED == 0))
        with kept.open("a") as lines:
            lines.write(json.dumps(found[-1]) + "\n")
        print(name, found[-1]["auto"]["rows"], found[-1]["fixed_rows"], flush=True)
    model.engine.stop()
    report = {"command": "python -m benchmarks.steps", "summary": summary(found), "pictures": found}
    (asked.out / "steps.json").write_text(json.dumps(report, indent=1) + "\n")
    draw(found, asked.out / "steps.png")
    kept.unlink()
    print(json.dumps(report["summary"], indent=1))


if __name__ == "__main__":
    main()
