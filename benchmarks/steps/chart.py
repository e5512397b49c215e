"""The chart `steps.png`: rows of each picture, auto's and the fixed rule's."""

from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from matplotlib import pyplot as plt

AUTO, FIXED, STAYS = "#1f5fa8", "#b4531f", "#9aa3af"
TICKS = [10, 20, 50, 100, 200, 500]  # rows
TOP = 1900  # rows; leaves space for the legend


def draw(pictures: list[dict[str, Any]], path: Path) -> None:
    """Writes the chart as a PNG; pictures are ordered by the rows that the fixed rule needs."""
    pictures = sorted(pictures, key=lambda picture: picture["fixed_rows"]["both"])
    places = np.arange(len(pictures))
    auto = [picture["auto"]["rows"] for picture in pictures]
    both, stays = ([picture["fixed_rows"][sense] for picture in pictures] for sense in ("both", "stays"))
    figure, axes = plt.subplots(figsize=(9.5, 4.8), layout="constrained")
    axes.vlines(places, auto, both, color="#c9ced6", linewidth=2, zorder=1)
    label = "fixed: completeness as good from there on (top: not by 512)"
    axes.plot(places, stays, "_", color=STAYS, markersize=7, label=label)
    axes.plot(places, both, "o", color=FIXED, markersize=5, label="fixed: completeness and map as good")
    axes.plot(places, auto, "o", color=AUTO, markersize=5, label='"n_steps": "auto"')
    axes.set_yscale("log")
    axes.set_yticks(TICKS, [str(tick) for tick in TICKS])
    axes.minorticks_off()
    axes.set_xticks([])
    axes.set_xlim(-1, len(pictures))
    axes.set_ylim(top=TOP)
    axes.set_xlabel(f"{len(pictures)} pictures, by the rows that the fixed rule needs")
    axes.set_ylabel("model rows")
    ratio = median(b / a for a, b in zip(auto, both, strict=True))
    title = f"Integrated Gradients on EfficientNet-Lite0: rows to equal error, {ratio:.1f} times fewer"
    axes.set_title(title, loc="left", fontsize=11)
    axes.grid(axis="y", color="#eceff3")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="upper left", ncols=2, fontsize=9)
    figure.savefig(path, dpi=140)
    plt.close(figure)
