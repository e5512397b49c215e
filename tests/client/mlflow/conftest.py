"""A tracking store of files, and a scripted service over a real socket."""

import io
from collections.abc import Iterator
from pathlib import Path

import mlflow
import numpy as np
import pytest
from PIL import Image

from tests.client.hostile_server import HostileServer, good_answers, hostile_server, sends
from tests.client.mlflow.store import file_store


def png() -> bytes:
    """A small picture."""
    stream = io.BytesIO()
    Image.new("RGB", (3, 2), "red").save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[mlflow.MlflowClient]:
    """MLflow on a folder of its own."""
    with file_store(tmp_path / "mlruns") as client:
        yield client


@pytest.fixture
def scripted() -> Iterator[HostileServer]:
    """A service with a text model `net`, whose only job has succeeded: one word, which has the attribution 0.5."""
    stream = io.BytesIO()
    np.save(stream, np.array([[0.5, -0.25]], np.float32))
    with hostile_server() as server:
        server.answers = good_answers(stream.getvalue(), [1, 2])
        server.answers["/jobs/j1/overlay.png"] = [sends(200, png(), "image/png")]
        yield server
