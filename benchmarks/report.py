"""Writes the table `results.md` and the chart `results.png` from the JSON files of the parts."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

from benchmarks import capacity, dialects, store

Parts = dict[str, dict[str, Any]]
REACHED, MISSED = "#2a7f62", "#c2703d"


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the table. With `at_most`, smaller is better."""

    part: str
    name: str
    description: str
    key: str  # in the part's JSON, or in its summary
    target: float
    gpu_target: float
    unit: str = ""
    at_most: bool = False

    def goal(self, part: dict[str, Any]) -> float:
        """The value to reach on the part's device."""
        return self.target if part.get("machine", {"device": "cpu"})["device"] == "cpu" else self.gpu_target

    def reached(self, part: dict[str, Any]) -> bool:
        """Does the measured value reach the goal?"""
        value, goal = part[self.key], self.goal(part)
        return bool(value <= goal if self.at_most else value >= goal)


ALONE = "p50 of one Saliency job less the time of its row"
JSON = "p50 of a picture's result as JSON, its numbers in base64, less that as .npy"
HOST = "64 clients, stand-in of 4,000 rows/s"
LINES = [
    Line("ig", "E_serve, IG", "IG-50 on EfficientNet-Lite0, at saturation", "e_serve", 0.85, 0.90),
    Line("mix", "E_serve, mix", "seven methods from 32 clients", "e_serve", 0.90, 0.80),
    Line("mix", "fill", "useful / executed rows, mix", "fill", 0.95, 0.95),
    Line("captum-ig", "X_captum, IG", "jobs/s against a plain handler, IG-50", "x_captum", 3, 8),
    Line("captum-saliency", "X_captum, Saliency", "jobs/s, Saliency, 64 clients", "x_captum", 1.5, 10),
    Line("captum-tabular", "X_captum, tabular", "jobs/s, IG-50 on the tabular model, 64 clients", "x_captum", 3, 2),
    Line("steps", "E_alg", "rows of the fixed rule / rows of `auto`, at equal error", "E_alg", 2, 2),
    Line("memory", "memory", "peak with 64 IG-200 jobs waiting / with one", "ratio", 1.5, 1.5, at_most=True),
    Line("alone", "alone", f"{ALONE}: a picture, .npy", "overhead_ms", 5, 5, " ms", at_most=True),
    Line("alone", "alone, table", f"{ALONE}: a row of the table", "table_overhead_ms", 5, 5, " ms", at_most=True),
    Line("alone", "alone, JSON", JSON, "base64_beside_npy_ms", 3, 3, " ms", at_most=True),
    Line("dialects", "dialects", "jobs/s of the slowest dialect / those of `/explain`, as JSON", "slowest", 0.9, 0.9),
    Line("outside-passes", "outside", "largest share outside passes, six methods", "largest", 5, 5, " %", at_most=True),
    Line("host", "E_host", f"IG-50, .npy, {HOST}", "ig_e_host", 0.90, 0.90),
    Line("host", "host, fill", f"rows a pass / 128, IG-50, {HOST}", "ig_fill", 0.90, 0.90),
    Line("host", "host, Saliency", f"jobs/s, .npy, {HOST}", "saliency_jobs_per_second", 500, 500, " jobs/s"),
    Line("host", "host, pictures", f"JPEG to .npy, {HOST}", "picture_jobs_per_second", 150, 150, " jobs/s"),
    Line("host", "worker, IG", "CPU time of the worker for a job of IG-50", "ig_worker_ms", 5, 5, " ms", at_most=True),
    Line("host", "worker, picture", "the same, Saliency of a picture", "picture_worker_ms", 2, 2, " ms", at_most=True),
    Line("fairness", "fairness", "one Saliency behind a 4,000-row job", "median", 3, 3, " pass times", at_most=True),
]


def write(folder: Path) -> str:
    """Writes `<folder>.md` and `<folder>.png` from the JSON files in `folder`. Returns the path of the page."""
    parts = {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}
    for part in parts.values():
        part.update(part.get("summary", {}))
    page = folder.parent / f"{folder.name}.md"
    picture = folder.parent / f"{folder.name}.png"
    page.write_text(_page(parts, picture.name), encoding="utf-8")
    _draw(parts, picture)
    return str(page)


def _page(parts: Parts, picture: str) -> str:
    lines = [
        "# Results",
        "",
        '`make bench` writes this page (`make bench ONLY="ig memory"` for parts). The docstrings of the modules in',
        "`benchmarks/` say what is measured and how. Ratios are medians of rounds that take turns in one run.",
        "",
        *_machines(parts),
        "",
        f"![Each measure relative to its goal]({picture})",
        "",
        "| measure | description | goal | measured | range | reached |",
        "|---|---|---|---|---|---|",
        *[_row(line, parts.get(line.part)) for line in LINES],
        "",
        *_factors(parts),
        *_outside(parts),
        *(store.lines(parts["store"]) if "store" in parts else []),
        *(capacity.lines(parts["capacity"]) if "capacity" in parts else []),
        *(dialects.lines(parts["dialects"]) if "dialects" in parts else []),
        *_absolute(parts),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _machines(parts: Parts) -> list[str]:
    machines: dict[str, list[str]] = {}
    for name, part in parts.items():
        m = part.get("machine")
        if m:
            where = f"{m['device']}, {m['processor']}, {m['cores']} cores"
            words = f"{where}, torch {m['torch']}, Python {m['python']}, {m['date']}"
            machines.setdefault(words, []).append(name)
    return [f"- {words}: {', '.join(names)}" for words, names in machines.items()]


def _row(line: Line, part: dict[str, Any] | None) -> str:
    sign = "at most " if line.at_most else "at least "
    if part is None or line.key not in part:
        return f"| {line.name} | {line.description} | {sign}{line.target:g}{line.unit} | not measured | | |"
    low, high = part.get("range", (None, None))
    spread = f"{low:.2f} to {high:.2f}" if low is not None and line.key in ("e_serve", "x_captum", "e_alg") else ""
    reached = "yes" if line.reached(part) else "**no**"
    return (
        f"| {line.name} | {line.description} | {sign}{line.goal(part):g}{line.unit} | {part[line.key]:.2f}{line.unit} "
        f"| {spread} | {reached} |"
    )


def _factors(parts: Parts) -> list[str]:
    """The factors of E_serve: they show where time is lost."""
    rows = [
        f"| {name} | {part['fill']:.3f} | {part['kernel']:.3f} | {part['busy']:.3f} | {part['rows_per_pass']:.1f} "
        f"| {part['worker_share']:.2f} | {part['valid']} of {len(part['rounds'])} |"
        for name in ("ig", "mix")
        if (part := parts.get(name))
    ]
    if not rows:
        return []
    return [
        "E_serve = fill x kernel x busy: useful over executed rows, ceiling over pass time, pass time over wall time.",
        "The worker's share is its part of all CPU seconds: gateway, store and clients use the same cores. Rounds",
        "whose ceilings before and after differ by more than a tenth do not count.",
        "",
        "| | fill | kernel | busy | rows per pass | worker's share of CPU | rounds that count |",
        "|---|---|---|---|---|---|---|",
        *rows,
        "",
        "Ceilings, ms per row (best of the grid): "
        + ", ".join(
            f"{name} {1e3 * min(grid.values()):.1f} ({parts[which]['best'][name]})"
            for which in ("ig",)
            if which in parts
            for name, grid in parts[which]["grid"].items()
        )
        + ".",
        "",
    ]


def _outside(parts: Parts) -> list[str]:
    """The share outside passes of each job that was measured."""
    part = parts.get("outside-passes")
    if part is None:
        return []
    low, high = sorted(part["load_average"])
    return [
        f"Outside passes, one job alone, median of {part['repeats']}. The machine's load average was {low:.0f} to "
        f"{high:.0f}:",
        "",
        "| model, features | method | rows | seconds | share by the clock | by CPU seconds |",
        "|---|---|---|---|---|---|",
        *[
            f"| {model}, {features} | `{name}` | {one['rows']} | {one['wall_s']:.3f} | {one['outside']:.1%} "
            f"| {one['outside_by_cpu']:.1%} |"
            for model, by_features in part["models"].items()
            for features, methods in by_features.items()
            for name, one in methods.items()
        ],
        "",
    ]


def _absolute(parts: Parts) -> list[str]:
    """Absolute values of this machine, for orientation only."""
    lines = []
    for name in ("captum-ig", "captum-saliency", "captum-tabular"):
        if part := parts.get(name):
            rates = ", ".join(f"{side} {rate:.2f}" for side, rate in part["jobs_per_second"].items())
            tuned = (
                f"; against tuned internal batches x {part['x_captum_tuned']:.2f}" if "x_captum_tuned" in part else ""
            )
            lines.append(f"- {name}, jobs/s: {rates}{tuned}")
    if part := parts.get("memory"):
        gib = {key: part[f"{key}_bytes"] / 2**30 for key in ("resting", "alone", "together")}
        lines.append(
            f"- memory of the worker, GiB: {gib['resting']:.2f} at rest, {gib['alone']:.2f} with one job, "
            f"{gib['together']:.2f} with {part['waiting']} ({part['live']:.0f} of them live)"
        )
    if part := parts.get("alone"):
        lines.append(
            f"- alone: p50 {part['p50_ms']:.1f} ms, of which the row {part['row_ms']:.1f} ms; as JSON "
            f"{part['base64_p50_ms']:.1f} ms with base64 and {part['json_p50_ms']:.1f} ms with numbers; a row of the "
            f"table {part['table_p50_ms']:.1f} ms"
        )
    if part := parts.get("host"):
        lines += _host(part)
    if part := parts.get("fairness"):
        tried = len(part["pass_times"])
        lines.append(f"- fairness: a pass took {part['pass_ms']:.0f} ms; the worst of {tried}: {part['worst']:.2f}")
    return lines


def _host(part: dict[str, Any]) -> list[str]:
    """CPU time by process, and what else the machine did."""
    roles = ("gateway", "worker", "store", "load")
    lines = [
        f"- host, {name}: {part[f'{key}_jobs_per_second']:.0f} jobs/s, E_host {part[f'{key}_e_host']:.2f}; "
        "CPU ms of a job: " + ", ".join(f"{role} {part[f'{key}_{role}_ms']:.2f}" for role in roles)
        for key, name in (("ig", "IG-50"), ("saliency", "Saliency"), ("picture", "Saliency of a picture"))
    ]
    load = f"- host: before it the machine had a load average of {part['load_average']:.1f}"
    return [*lines, f"{load}; {part['gateways']} gateway and {part['workers']} worker"]


def _draw(parts: Parts, path: Path) -> None:
    """A bar for each measure, relative to its goal; longer is always better."""
    shown = [(line, parts[line.part]) for line in LINES if line.key in parts.get(line.part, {})]
    if not shown:
        return
    ratios = []
    for line, part in shown:
        value, goal = part[line.key], line.goal(part)
        ratios.append(goal / max(value, 1e-9) if line.at_most else value / goal)
    figure, axes = plt.subplots(figsize=(9, 0.5 * len(shown) + 1.4), dpi=110)
    colours = [REACHED if line.reached(part) else MISSED for line, part in shown]
    limit = 3.0
    axes.barh(range(len(shown)), [min(r, limit) for r in ratios], color=colours, height=0.62)
    for k, ((line, part), ratio) in enumerate(zip(shown, ratios, strict=True)):
        sign = "at most" if line.at_most else "at least"
        text = f"{part[line.key]:.2f}{line.unit} ({sign} {line.goal(part):g})"
        paper = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}  # keeps the line at 1 out of the words
        axes.text(min(ratio, limit) + 0.03, k, text, va="center", fontsize=9, bbox=paper, zorder=3)
    axes.axvline(1.0, color="black", linewidth=1, zorder=2)
    axes.set_yticks(range(len(shown)), [line.name for line, _ in shown])
    axes.invert_yaxis()
    axes.set_xlim(0, limit + 1.1)
    axes.set_xticks([0, 1, 2, 3], ["0", "the goal", "twice", "three times or more"])
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)
