"""Writes to one run of MLflow."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Metric, RunTag
from mlflow.models.evaluation import EvaluationArtifact
from mlflow.models.evaluation.artifacts import ImageEvaluationArtifact, JsonEvaluationArtifact
from mlflow.tracking.artifact_utils import get_artifact_uri
from mlflow.utils.time import get_current_time_millis
from pandas import DataFrame
from PIL import Image

from attribution_client.errors import BadAnswer


class Record:
    """Logs under one prefix. `artifacts` are those that an `EvaluationResult` gives, by name."""

    def __init__(self, run_id: str, prefix: str) -> None:
        self._client = MlflowClient()
        self._run_id = run_id
        self.prefix = prefix
        self.artifacts: dict[str, EvaluationArtifact] = {}

    def metrics(self, values: Mapping[str, float]) -> dict[str, float]:
        """Logs metrics, and returns them with their whole names."""
        named = {f"{self.prefix}/{name}": value for name, value in values.items()}
        now = get_current_time_millis()
        self._client.log_batch(self._run_id, metrics=[Metric(name, value, now, 0) for name, value in named.items()])
        return named

    def tags(self, values: Mapping[str, str]) -> None:
        """Sets tags."""
        self._client.log_batch(self._run_id, tags=[RunTag(f"{self.prefix}.{name}", to) for name, to in values.items()])

    def file(self, name: str, content: bytes) -> str:
        """Logs a file in the folder of the prefix, and returns its path within the run's artifacts."""
        folder, _, file_name = f"{self.prefix}/{name}".rpartition("/")
        with tempfile.TemporaryDirectory() as made:
            path = Path(made, file_name)
            path.write_bytes(content)
            self._client.log_artifact(self._run_id, str(path), folder)
        return f"{folder}/{file_name}"

    def picture(self, name: str, png: bytes) -> None:
        """Logs a picture `<name>.png`. Raises `BadAnswer`, and logs nothing, if it cannot be opened."""
        opened = _opened(png)
        path = self.file(f"{name}.png", png)
        self._keep(name, ImageEvaluationArtifact(self._uri(path), opened))

    def table(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Logs a table `<prefix>_<name>.json`, which `mlflow.load_table` reads. A table of this name in the run grows.

        A column without any value is left out. The file is not in the prefix's folder: `EvaluationResult.tables`
        finds tables at the top alone.
        """
        path = f"{self.prefix}_{name}.json"
        frame = DataFrame(list(rows)).dropna(axis="columns", how="all")
        self._client.log_table(self._run_id, frame, path)
        content = {column: frame[column].tolist() for column in frame}
        self._keep(name, JsonEvaluationArtifact(self._uri(path), content))

    def _uri(self, path: str) -> str:
        return str(get_artifact_uri(self._run_id, path))

    def _keep(self, name: str, artifact: EvaluationArtifact) -> None:
        self.artifacts[f"{self.prefix}_{name.replace('/', '_')}"] = artifact


def _opened(png: bytes) -> Image.Image:
    try:
        with Image.open(io.BytesIO(png), formats=["PNG"]) as opened:
            opened.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise BadAnswer(f"the picture cannot be opened: {error}") from None
    return opened
