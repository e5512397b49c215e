"""`python -m tests.scaling`: runs the bursts, and writes their record and the picture of docs/scaling.md."""

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

from tests.paths import ROOT
from tests.scaling.run import run_bursts

RECORD = ROOT / "benchmarks" / "results" / "scaling.json"
PICTURE = ROOT / "docs" / "images" / "scaling.png"
BACKLOG, WANTED, AWAKE = "#2a7f62", "#888888", "#c2703d"


def draw(record: dict[str, Any], path: Path) -> None:
    """Backlog and workers over time."""
    looks, rule = record["looks"], record["rule"]
    began_s = record["bursts"][0]["began_at_s"]
    times = [look["at_s"] - began_s for look in looks]
    figure, (above, below) = plt.subplots(2, 1, figsize=(9, 5), dpi=110, sharex=True)
    above.plot(times, [look["backlog_s"] for look in looks], color=BACKLOG, linewidth=1.8)
    above.set_ylabel("backlog, seconds\nof one worker")
    below.step(times, [look["wanted"] for look in looks], color=WANTED, where="post", label="wanted", linewidth=1.2)
    below.step(times, [look["awake"] for look in looks], color=AWAKE, where="post", label="taking jobs", linewidth=1.8)
    below.set_ylabel("workers")
    below.set_yticks(range(rule["most"] + 1))
    below.set_xlabel("seconds")
    below.legend(frameon=False, loc="lower right", bbox_to_anchor=(1, 1), ncols=2)
    for axes in (above, below):
        for burst in record["bursts"]:
            axes.axvline(burst["began_at_s"] - began_s, color="black", linewidth=0.8, linestyle=":")
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        axes.set_ylim(bottom=0)
    above.set_title(f"Two bursts of {record['jobs']} jobs; one worker for each {rule['target']:.0f} s", loc="left")
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    plt.close(figure)


def main() -> None:
    """Runs and writes."""
    with tempfile.TemporaryDirectory(prefix="scaling-") as folder:
        record = asyncio.run(run_bursts(Path(folder) / "service")).document()
    print(json.dumps({name: value for name, value in record.items() if name != "looks"}, indent=1))
    RECORD.write_text(json.dumps(record) + "\n")
    draw(record, PICTURE)
    print(f"written: {RECORD.name}, {PICTURE.name}")


if __name__ == "__main__":
    main()
