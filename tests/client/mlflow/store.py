"""A real tracking store of files."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import mlflow

with warnings.catch_warnings():  # mlflow's own, of how it imports its evaluators, and about its own types
    warnings.simplefilter("ignore")
    import mlflow.models.evaluation.evaluator_registry

VARIABLES = {
    "MLFLOW_ALLOW_FILE_STORE": "true",  # since 3.13 it is to be asked for
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


@contextmanager
def file_store(folder: Path) -> Iterator[mlflow.MlflowClient]:
    """MLflow logs to this folder until the end of the block."""
    before = mlflow.get_tracking_uri() if mlflow.is_tracking_uri_set() else None
    with patch.dict(os.environ, VARIABLES):
        mlflow.set_tracking_uri(folder.as_uri())
        try:
            yield mlflow.MlflowClient()
        finally:
            while mlflow.active_run() is not None:
                mlflow.end_run()
            mlflow.set_tracking_uri(before or "")
