"""What each measure must reach: the rows of the table and the bars of the picture."""

from dataclasses import dataclass
from typing import Any


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
    Line("captum-ig", "X_captum, IG", "jobs/s against a plain handler, IG-50", "x_captum", 3, 3.5),
    Line("captum-saliency", "X_captum, Saliency", "jobs/s, Saliency, 64 clients", "x_captum", 1.5, 15),
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
