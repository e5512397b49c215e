"""Draws the measures of all machines, each relative to its goal, in one picture."""

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from benchmarks.goals import LINES, Line

Part = dict[str, Any]
Bars = list[tuple[Line, Part]]
REACHED, MISSED = "#2a7f62", "#c2703d"
LIMIT = 3.0  # a longer bar is cut
BAR_INCHES, TITLE_INCHES = 0.5, 0.5


def draw(results: list[dict[str, Part]], path: Path) -> None:
    """Writes the picture: a panel for each device, a bar for each measure. Longer is always better.

    Args:
        results: of each machine, its parts by name. Several parts of a machine may have been measured on different
            devices.
        path: of the picture.
    """
    panels: dict[str, Bars] = {}
    for parts in results:
        for line in LINES:
            part = parts.get(line.part, {})
            if line.key in part:
                panels.setdefault(_device(part), []).append((line, part))
    if not panels:
        return
    heights = [BAR_INCHES * len(bars) + TITLE_INCHES for bars in panels.values()]
    figure, axes = plt.subplots(
        len(panels), figsize=(9, sum(heights) + 0.5), dpi=110, sharex=True, squeeze=False, height_ratios=heights
    )
    for one, (device, bars) in zip(axes[:, 0], panels.items(), strict=True):
        _panel(one, device, bars)
    last = axes[-1, 0]
    last.set_xlim(0, LIMIT + 1.1)
    last.set_xticks([0, 1, 2, 3], ["0", "the goal", "twice", "three times or more"])
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)


def _device(part: Part) -> str:
    """The heading of a part's panel."""
    machine = part.get("machine")
    if machine is None:
        return "any device"
    if machine["device"] == "cpu":
        return f"CPU: {machine['cores']} cores"
    date = "" if machine["device"].startswith("stand-in") else f", on {machine['date']}"
    return f"{machine['device'][0].upper()}{machine['device'][1:]}{date}"


def _panel(axes: Axes, device: str, bars: Bars) -> None:
    ratios = [_ratio(line, part) for line, part in bars]
    colours = [REACHED if line.reached(part) else MISSED for line, part in bars]
    axes.barh(range(len(bars)), [min(ratio, LIMIT) for ratio in ratios], color=colours, height=0.62)
    paper = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}  # keeps the line at 1 out of the words
    for k, ((line, part), ratio) in enumerate(zip(bars, ratios, strict=True)):
        sign = "at most" if line.at_most else "at least"
        text = f"{part[line.key]:.2f}{line.unit} ({sign} {line.goal(part):g})"
        axes.text(min(ratio, LIMIT) + 0.03, k, text, va="center", fontsize=9, bbox=paper, zorder=3)
    axes.axvline(1.0, color="black", linewidth=1, zorder=2)
    axes.set_title(device, loc="left", fontsize=10, fontweight="bold")
    axes.set_yticks(range(len(bars)), [line.name for line, _ in bars])
    axes.set_ylim(len(bars) - 0.4, -0.6)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _ratio(line: Line, part: Part) -> float:
    value, goal = part[line.key], line.goal(part)
    return float(goal / max(value, 1e-9) if line.at_most else value / goal)
