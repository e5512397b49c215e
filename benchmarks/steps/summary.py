"""Medians and extremes over all pictures."""

from statistics import median
from typing import Any

SENSES = ("both", "within", "map", "first", "stays")


def summarize(pictures: list[dict[str, Any]]) -> dict[str, Any]:
    """The `summary` of `steps.json`; each `ratio` is the fixed rule's rows over auto's."""
    ratios = {
        sense: [picture["fixed_rows"][sense] / picture["auto"]["rows"] for picture in pictures] for sense in SENSES
    }
    rows = [picture["auto"]["rows"] for picture in pictures]
    checked = [picture for picture in pictures if picture["run"]]
    return {
        "pictures": len(pictures),
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
            **_medians(pictures, "auto", "completeness", "l2", "l1"),
        },
        "run": _medians(checked, "run", "completeness", "l2", "l1"),
        "run_over_auto_l2": round(median(picture["run"]["l2"] / picture["auto"]["l2"] for picture in checked), 2),
        "fixed_50": _medians(pictures, "fixed_50", "completeness", "l2"),
        "estimated_over_true_map_error": round(
            median(picture["estimated_map_error"] / picture["auto"]["l2"] for picture in pictures), 2
        ),
    }


def _medians(pictures: list[dict[str, Any]], rule: str, *errors: str) -> dict[str, float]:
    return {error: round(median(picture[rule][error] for picture in pictures), 4) for error in errors}
