"""What a worker has to compute before the rows of a job that it claims now.

The job store compares it among the workers of a model, so that a job goes where it ends soonest: a worker with a long
queue leaves it to one without, and of two devices the faster one gets as many more as it is faster.
"""

from math import exp

from broker import WorkAhead
from schemas.model_key import ModelKey
from workers.engine.stats import EngineStats
from workers.jobs.admission import Admission
from workers.jobs.sharing import left_rows
from workers.jobs.tuning import ASSUMED_ROW_S, ROW_PACE_ROWS
from workers.models.pool import ModelPool


class RowPace:
    """Seconds of a row of each model, lately: the past fades over `ROW_PACE_ROWS` rows.

    So a row of a full pass counts as much as one that had a pass for itself, and a few full passes outweigh an hour of
    single rows.
    """

    def __init__(self) -> None:
        self._seen: dict[ModelKey, tuple[int, float]] = {}  # rows and seconds at the last look
        self._sums: dict[ModelKey, tuple[float, float]] = {}  # of rows and seconds

    def observe(self, model: ModelKey, stats: EngineStats) -> None:
        """Adds what was computed since the last look."""
        rows, seconds = stats.rows, stats.seconds
        seen_rows, seen_s = self._seen.get(model, (0, 0.0))
        if rows < seen_rows or seconds < seen_s:  # the model was loaded again
            seen_rows, seen_s = 0, 0.0
        if rows == seen_rows or seconds == seen_s:  # seconds count when a pass is done, rows before
            return
        self._seen[model] = rows, seconds
        kept = exp((seen_rows - rows) / ROW_PACE_ROWS)
        sum_rows, sum_s = self._sums.get(model, (0.0, 0.0))
        self._sums[model] = kept * sum_rows + rows - seen_rows, kept * sum_s + seconds - seen_s

    def row_s(self) -> dict[ModelKey, float]:
        """Seconds of a row, of the models that have computed any."""
        return {model: seconds / rows for model, (rows, seconds) in self._sums.items()}


class AheadMeter:
    """Of one worker. For one thread."""

    def __init__(self, models: ModelPool, admission: Admission) -> None:
        self._models = models
        self._admission = admission
        self._pace = RowPace()

    def __call__(self) -> WorkAhead:
        """What there is now."""
        for model, resident in self._models.resident().items():
            self._pace.observe(model, resident.engine.stats)
        row_s = self._pace.row_s()
        by_priority = {"interactive": 0.0, "batch": 0.0}
        for job in self._admission.active():
            by_priority[job.spec.priority] += left_rows(job) * row_s.get(job.model_key, ASSUMED_ROW_S)
        interactive_s = by_priority["interactive"]
        return WorkAhead(interactive_s, interactive_s + by_priority["batch"], row_s, self._models.load_s())
