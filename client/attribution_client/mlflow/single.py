"""Logs one result to a run."""

from __future__ import annotations

import dataclasses
import io
import json
import zipfile

import mlflow
import numpy as np

from attribution_client.mlflow.drawing import log_picture
from attribution_client.mlflow.findings import table_rows
from attribution_client.mlflow.measures import Measures
from attribution_client.mlflow.options import check_prefix
from attribution_client.mlflow.provenance import provenance_of
from attribution_client.mlflow.record import Record
from attribution_client.result import Result

MAX_PICTURES = 20


def log_explanation(result: Result, *, run_id: str | None = None, prefix: str = "explanation") -> str:
    """Logs a result: its pictures, a table of attributions, the document, all numbers, metrics and tags.

    A picture that the service cannot draw any more is logged as a failure.

    Args:
        run_id: of the run. Default: the active run, or a new one, as `mlflow.log_metric` does.
        prefix: begins the names of metrics, tags and artifacts. Two results under one prefix leave the tags and
            metrics of the second.

    Returns:
        The folder of the artifacts: `<prefix>/<job id>`.

    Raises:
        MlflowException: MLflow cannot use the prefix, or there is no such run.
    """
    check_prefix(prefix)
    if run_id is None:
        run_id = (mlflow.active_run() or mlflow.start_run()).info.run_id
    record = Record(run_id, prefix)
    examples = range(len(next(iter(result.arrays.values()))))
    measures = Measures()
    for example in examples:
        measures.add(result, example)
    record.metrics(measures.summary())
    record.tags(provenance_of(result))
    drawn = [log_picture(record, f"{result.id}/{one}", result, one, one) for one in examples[:MAX_PICTURES]]
    failures = [failure for failure in drawn if failure is not None]
    record.table("attributions", [row for example in examples for row in table_rows(result, example, example, None)])
    document = json.dumps(dataclasses.asdict(result.explanation), indent=1)
    record.file(f"{result.id}/explanation.json", document.encode())
    record.file(f"{result.id}/attributions.npz", _npz(result))
    if failures:
        record.table("failures", [vars(one) for one in failures])
    return f"{prefix}/{result.id}"


def _npz(result: Result) -> bytes:
    """The attributions as numpy's .npz, by the names of their tensors. `numpy.savez` would refuse some names."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in result.arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                np.lib.format.write_array(entry, array, allow_pickle=False)
    return stream.getvalue()
