"""`python -m benchmarks.host.timeline`: draws one second of passes, for `docs/performance.md`.

The same load runs twice: on a stand-in that says when it is free, and on one that takes whatever it is given, as a GPU
behind an engine that does not ask. The load is Integrated Gradients of 50 steps from 64 clients.
"""

import argparse
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.patches import Rectangle

from benchmarks.host.load import run_load
from benchmarks.host.measure import CLIENTS, ig_load
from benchmarks.host.processes import host_service
from benchmarks.host.worker import BATCH_ROWS

PICTURE = Path(__file__).parents[2] / "docs" / "images" / "passes.png"
JOBS, SHOWN_S = 400, 1.0
TITLES = ("packed when Python is ready", "packed when the device is about to be free")
FULL, PART = "#2a7f62", "#c2703d"
Passes = list[dict[str, Any]]


def second_of_passes(*, eager: bool) -> Passes:
    """The passes of the second of a run in which the most rows were computed: other processes disturb it least."""
    load = ig_load(JOBS)
    with host_service(eager=eager) as service:
        run_load(service.url, load.body, load.check, clients=CLIENTS, numbers=range(JOBS))
        passes = service.passes()
    seconds = [[one for one in passes if 0 <= one["began_s"] - first["began_s"] < SHOWN_S] for first in passes]
    return max(seconds, key=lambda second: sum(one["rows"] for one in second))


def draw(before: Passes, after: Passes, path: Path) -> None:
    """A rectangle for each pass: as wide as its time, as high as its rows."""
    figure, axes = plt.subplots(2, 1, figsize=(9, 4.2), dpi=110, sharex=True)
    for axis, passes, title in zip(axes, (before, after), TITLES, strict=True):
        start_s = passes[0]["began_s"]
        for one in passes:
            width, rows = one["ended_s"] - one["began_s"], one["rows"]
            colour = FULL if rows >= 0.9 * BATCH_ROWS else PART
            place = (one["began_s"] - start_s, 0)
            axis.add_patch(Rectangle(place, width, rows, facecolor=colour, edgecolor="white", linewidth=0.8))
        rows = sum(one["rows"] for one in passes)
        fill = rows / len(passes) / BATCH_ROWS
        axis.set_title(f"{title}: {len(passes)} passes, {rows:,} rows, {fill:.0%} full", loc="left", fontsize=10)
        axis.set_xlim(0, SHOWN_S)
        axis.set_ylim(0, BATCH_ROWS * 1.08)
        axis.axhline(BATCH_ROWS, color="black", linewidth=0.8, linestyle=":")
        axis.set_yticks([0, BATCH_ROWS // 2, BATCH_ROWS])
        axis.set_ylabel("rows of a pass")
        for side in ("top", "right"):
            axis.spines[side].set_visible(False)
    axes[1].set_xlabel("seconds")
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    plt.close(figure)


def main() -> None:
    """Runs the load twice and writes the picture."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.host.timeline")
    parser.add_argument("--out", type=Path, default=PICTURE)
    out: Path = parser.parse_args().out
    draw(second_of_passes(eager=True), second_of_passes(eager=False), out)
    print(out)


if __name__ == "__main__":
    main()
