"""The table and the picture, from what the parts have left."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

Found = dict[str, dict[str, Any]]
REACHED, MISSED = "#2a7f62", "#c2703d"


@dataclass(frozen=True, slots=True)
class Line:
    """One measure. `at_most` turns the comparison round."""

    part: str
    name: str
    says: str
    figure: str  # key in the part's JSON, or in its summary
    target: float
    gpu_target: float
    unit: str = ""
    at_most: bool = False

    def wanted(self, found: dict[str, Any]) -> float:
        return self.target if found.get("machine", {"device": "cpu"})["device"] == "cpu" else self.gpu_target

    def reached(self, found: dict[str, Any]) -> bool:
        value, wanted = found[self.figure], self.wanted(found)
        return bool(value <= wanted if self.at_most else value >= wanted)


LINES = [
    Line("ig", "E_serve, IG", "IG-50 on EfficientNet-Lite0, at saturation", "e_serve", 0.85, 0.90),
    Line("mix", "E_serve, mix", "seven methods from 32 clients", "e_serve", 0.80, 0.80),
    Line("mix", "fill", "useful / executed rows, mix", "fill", 0.95, 0.95),
    Line("captum-ig", "X_captum, IG", "jobs/s against a plain handler, IG-50", "x_captum", 3, 8),
    Line("captum-saliency", "X_captum, Saliency", "the same at 64 clients", "x_captum", 1.5, 10),
    Line("captum-tabular", "X_captum, tabular", "IG-50 on the table's model, 64 clients", "x_captum", 2, 2),
    Line("steps", "E_alg", "rows of the fixed rule / rows of `auto`, equal error", "E_alg", 2, 2),
    Line("memory", "memory", "peak with 64 IG-200 jobs waiting / with one", "ratio", 1.5, 1.5, at_most=True),
    Line(
        "alone",
        "alone",
        "p50 of one Saliency job (a picture, .npy) - the time of its row",
        "overhead_ms",
        5,
        5,
        " ms",
        at_most=True,
    ),
    Line("alone", "alone, table", "the same of a row of the table", "table_overhead_ms", 5, 5, " ms", at_most=True),
    Line("fairness", "fairness", "one Saliency behind a 4,000-row job", "median", 3, 3, " pass times", at_most=True),
]


def write(folder: Path) -> str:
    """Writes `results.md` and `results.png` beside the folder of the parts' JSON; returns the path of the former."""
    found = {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}
    for part in found.values():
        part.update(part.get("summary", {}))
    page = folder.parent / f"{folder.name}.md"
    picture = folder.parent / f"{folder.name}.png"
    page.write_text(_page(found, picture.name), encoding="utf-8")
    _draw(found, picture)
    return str(page)


def _page(found: Found, picture: str) -> str:
    lines = [
        "# Results",
        "",
        'Written by `make bench` (`make bench ONLY="ig memory"` for parts); what is measured, and how, stands at',
        "the head of each module of `benchmarks/`. Ratios are medians of rounds taken in turns in one run.",
        "",
        *_machines(found),
        "",
        f"![Each measure against what it must reach]({picture})",
        "",
        "| measure | of | at least | measured | range | reached |",
        "|---|---|---|---|---|---|",
        *[_row(line, found.get(line.part)) for line in LINES],
        "",
        *_factors(found),
        *_sides(found),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _machines(found: Found) -> list[str]:
    told: dict[str, list[str]] = {}
    for name, part in found.items():
        m = part.get("machine")
        if m:
            where = f"{m['device']}, {m['processor']}, {m['cores']} cores"
            words = f"{where}, torch {m['torch']}, Python {m['python']}, {m['date']}"
            told.setdefault(words, []).append(name)
    return [f"- {words}: {', '.join(names)}" for words, names in told.items()]


def _row(line: Line, part: dict[str, Any] | None) -> str:
    sign = "at most " if line.at_most else ""
    if part is None or line.figure not in part:
        return f"| {line.name} | {line.says} | {sign}{line.target:g}{line.unit} | not measured | | |"
    low, high = part.get("range", (None, None))
    spread = f"{low:.2f} to {high:.2f}" if low is not None and line.figure in ("e_serve", "x_captum", "e_alg") else ""
    reached = "yes" if line.reached(part) else "**no**"
    return (
        f"| {line.name} | {line.says} | {sign}{line.wanted(part):g}{line.unit} | {part[line.figure]:.2f}{line.unit} "
        f"| {spread} | {reached} |"
    )


def _factors(found: Found) -> list[str]:
    """Where a shortfall of E_serve lies."""
    rows = [
        f"| {name} | {part['fill']:.3f} | {part['kernel']:.3f} | {part['busy']:.3f} | {part['rows_per_pass']:.1f} "
        f"| {part['worker_share']:.2f} | {part['valid']} of {len(part['rounds'])} |"
        for name in ("ig", "mix")
        if (part := found.get(name))
    ]
    if not rows:
        return []
    return [
        "E_serve = fill x kernel x busy: rows that were useful, ceiling time over pass time, pass time over wall time.",
        "The worker's share is of all CPU seconds, for gateway, store and clients have the same cores. Rounds whose",
        "ceilings before and after differ by more than a tenth do not count.",
        "",
        "| | fill | kernel | busy | rows a pass | worker's share of CPU | rounds that count |",
        "|---|---|---|---|---|---|---|",
        *rows,
        "",
        "Ceilings, ms a row (best of the grid): "
        + ", ".join(
            f"{name} {1e3 * min(grid.values()):.1f} ({found[which]['best'][name]})"
            for which in ("ig",)
            if which in found
            for name, grid in found[which]["grid"].items()
        )
        + ".",
        "",
    ]


def _sides(found: Found) -> list[str]:
    """Absolute figures of this machine, for orientation only."""
    told = []
    for name in ("captum-ig", "captum-saliency", "captum-tabular"):
        if part := found.get(name):
            rates = ", ".join(f"{side} {rate:.2f}" for side, rate in part["jobs_per_second"].items())
            tuned = (
                f"; against tuned internal batches x {part['x_captum_tuned']:.2f}" if "x_captum_tuned" in part else ""
            )
            told.append(f"- {name}, jobs/s: {rates}{tuned}")
    if part := found.get("memory"):
        gib = {key: part[f"{key}_bytes"] / 2**30 for key in ("resting", "alone", "together")}
        told.append(
            f"- memory of the worker, GiB: {gib['resting']:.2f} at rest, {gib['alone']:.2f} with one job, "
            f"{gib['together']:.2f} with {part['waiting']} ({part['live']:.0f} of them live)"
        )
    if part := found.get("alone"):
        told.append(
            f"- alone: p50 {part['p50_ms']:.1f} ms, of which the row {part['row_ms']:.1f} ms; as JSON "
            f"{part['json_p50_ms']:.1f} ms; a row of the table {part['table_p50_ms']:.1f} ms"
        )
    if part := found.get("fairness"):
        tried = len(part["pass_times"])
        told.append(f"- fairness: a pass took {part['pass_ms']:.0f} ms; the worst of {tried}: {part['worst']:.2f}")
    return told


def _draw(found: Found, path: Path) -> None:
    """Bars relative to what must be reached; longer is better in all of them."""
    shown = [(line, found[line.part]) for line in LINES if line.figure in found.get(line.part, {})]
    if not shown:
        return
    ratios = []
    for line, part in shown:
        value, wanted = part[line.figure], line.wanted(part)
        ratios.append(wanted / max(value, 1e-9) if line.at_most else value / wanted)
    figure, axes = plt.subplots(figsize=(9, 0.5 * len(shown) + 1.4), dpi=110)
    colours = [REACHED if line.reached(part) else MISSED for line, part in shown]
    limit = 3.0
    axes.barh(range(len(shown)), [min(r, limit) for r in ratios], color=colours, height=0.62)
    for k, ((line, part), ratio) in enumerate(zip(shown, ratios, strict=True)):
        sign = "at most" if line.at_most else "at least"
        text = f"{part[line.figure]:.2f}{line.unit} ({sign} {line.wanted(part):g})"
        paper = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}  # the line does not cross words
        axes.text(min(ratio, limit) + 0.03, k, text, va="center", fontsize=9, bbox=paper, zorder=3)
    axes.axvline(1.0, color="black", linewidth=1, zorder=2)
    axes.set_yticks(range(len(shown)), [line.name for line, _ in shown])
    axes.invert_yaxis()
    axes.set_xlim(0, limit + 1.1)
    axes.set_xticks([0, 1, 2, 3], ["0", "what it must reach", "twice", "three times or more"])
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)
