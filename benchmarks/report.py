"""Writes the table `results.md` and the chart `results.png` from the JSON files of the parts."""

import json
from pathlib import Path
from typing import Any

from benchmarks import capacity, dialects, store
from benchmarks.goals import LINES, Line
from benchmarks.report_picture import draw

Parts = dict[str, dict[str, Any]]


def write(folder: Path) -> str:
    """Writes `<folder>.md` and `<folder>.png` from the JSON files in `folder`. Returns the path of the page.

    The picture also shows the results of other machines, from the folders named `<folder>-…`.
    """
    parts = _read(folder)
    page = folder.parent / f"{folder.name}.md"
    picture = folder.parent / f"{folder.name}.png"
    page.write_text(_page(parts, picture.name), encoding="utf-8")
    others = [_read(other) for other in sorted(folder.parent.glob(f"{folder.name}-*")) if other.is_dir()]
    draw([parts, *others], picture)
    return str(page)


def _read(folder: Path) -> Parts:
    parts = {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}
    for part in parts.values():
        part.update(part.get("summary", {}))
    return parts


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
