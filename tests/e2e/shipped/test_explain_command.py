"""`attribution explain` against the running service."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file

from tests.e2e.running import ROOT

MODELS = ROOT / "models"
CAT = MODELS / "efficientnet-lite0" / "chelsea.jpg"
ROW = MODELS / "breast-cancer-mlp" / "sample.json"
TIMEOUT_S = 120.0

pytestmark = pytest.mark.models


def explain(service: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return attribution(service, "explain", *arguments)


def attribution(service: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
        env={**os.environ, "ATTRIBUTION_URL": service, "COLUMNS": "100"},
    )


def test_a_picture_is_explained_and_drawn(service: str, tmp_path: Path) -> None:
    output = tmp_path / "overlay.png"
    done = explain(service, CAT, "--method", "saliency", "-o", output, "--style", "heatmap", "--size", "300")
    assert done.returncode == 0, done.stderr
    assert "Egyptian cat" in done.stdout
    assert "saliency" in done.stdout
    with Image.open(output) as picture:
        assert picture.format == "PNG"
        assert max(picture.size) >= 300


def test_a_sentence_is_shown_with_its_words(service: str) -> None:
    done = explain(service, "--text", "A wonderful film with a dull ending.", "--param", "n_steps=8")
    assert done.returncode == 0, done.stderr
    assert "A wonderful film with a dull ending." in done.stdout
    for word in ("wonderful", "dull", "ending"):
        assert any(line.startswith(word) and "│" in line for line in done.stdout.splitlines())


def test_a_row_is_shown_with_its_columns(service: str) -> None:
    done = explain(service, "--features", ROW, "--method", "deep_lift", "--top", "5", "--target", "benign")
    assert done.returncode == 0, done.stderr
    assert sum("│" in line for line in done.stdout.splitlines()) == 5
    assert "and 25 weaker" in done.stdout
    assert "benign" in done.stdout


@pytest.mark.parametrize("extension", ["npy", "safetensors", "json"])
def test_the_extension_chooses_the_representation(service: str, tmp_path: Path, extension: str) -> None:
    output = tmp_path / f"result.{extension}"
    done = explain(service, ROW, "--method", "saliency", "-o", output)
    assert done.returncode == 0, done.stderr
    if extension == "npy":
        scores = np.load(output)
    elif extension == "safetensors":
        (scores,) = load_file(output).values()
    else:
        (tensor,) = json.loads(output.read_text())["attributions"]
        scores = np.array(tensor["data"]).reshape(tensor["shape"])
    assert scores.shape == (1, 30)
    assert np.isfinite(scores).all()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--method", "magic"], ["method"]),
        (["--method", "integrated_gradients", "--param", "n_steps=0"], ["n_steps"]),
        (["--method", "integrated_gradients", "--param", "steps=5"], ["steps"]),
        (["--target", "unicorn"], ["target"]),
        (["--method", "layer_activation", "--layer", "nowhere"], ["layer"]),
        (["--model", "nothing"], ["no such model", "breast-cancer-mlp"]),
    ],
)
def test_a_refusal_names_the_field(service: str, arguments: list[str], words: list[str]) -> None:
    done = explain(service, ROW, *arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr


def test_the_result_as_json(service: str, tmp_path: Path) -> None:
    output = tmp_path / "scores.npy"
    done = explain(service, ROW, "--method", "deep_lift", "--json", "-o", output)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["method"]["name"] == "deep_lift"
    assert [feature["score"] for feature in result["features"][0]] == pytest.approx(np.load(output)[0].tolist())


def test_jobs_are_listed(service: str) -> None:
    done = explain(service, "--text", "A dull film.", "--method", "saliency", "--json")
    job_id = json.loads(done.stdout)["id"]
    listed = attribution(service, "jobs", "--limit", "200", "--status", "succeeded", "--json")
    assert listed.returncode == 0, listed.stderr
    (job,) = [one for one in json.loads(listed.stdout) if one["id"] == job_id]
    assert job["method"]["name"] == "saliency"
    table = attribution(service, "jobs", "--model", "minilm-sentiment", "--limit", "200")
    (line,) = [one for one in table.stdout.splitlines() if one.startswith(job_id[:10])]
    assert "succeeded" in line
    assert attribution(service, "jobs", "--model", "nosuch").stdout.strip() == "no jobs"
    refused = attribution(service, "jobs", "--status", "sleeping")
    assert refused.returncode == 2
    assert "status" in refused.stderr


def test_methods_are_explained(service: str) -> None:
    table = attribution(service, "methods")
    assert table.returncode == 0, table.stderr
    assert sum(line.startswith("  ") and line.split()[0].isidentifier() for line in table.stdout.splitlines()) >= 39
    one = attribution(service, "methods", "integrated_gradients", "--lang", "es")
    assert "n_steps" in one.stdout
    assert "gradientes" in one.stdout
    document = json.loads(attribution(service, "methods", "occlusion", "--json").stdout)
    assert "sliding_window_shapes" in document["parameters"]["properties"]
    unknown = attribution(service, "methods", "integrated_gradient")
    assert unknown.returncode == 2
    assert "did you mean 'integrated_gradients'?" in unknown.stderr


def test_models_as_json(service: str) -> None:
    cards = json.loads(attribution(service, "models", "list", "--json").stdout)
    assert {card["name"] for card in cards} == {"efficientnet-lite0", "breast-cancer-mlp", "minilm-sentiment"}


def under_way(job: dict[str, Any]) -> bool:
    """True when rows were computed: by then the client has its response and follows the job."""
    return bool(job["progress"]["done"])


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Restores SIGINT, which a shell ignores for background jobs; child processes inherit this."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_cancels_the_job(service: str) -> None:
    options = ["--method", "integrated_gradients", "--param", "n_steps=900", "--url", service]
    command = [sys.executable, "-P", "-m", "cli", "explain", str(CAT), *options]
    with (
        httpx.Client(base_url=service, timeout=TIMEOUT_S) as client,
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process,
    ):
        while not (running := [job for job in client.get("/jobs?status=running").json()["jobs"] if under_way(job)]):
            with contextlib.suppress(subprocess.TimeoutExpired):
                raise AssertionError(f"ended with {process.wait(timeout=0.05)}")
        process.send_signal(signal.SIGINT)
        assert process.wait(TIMEOUT_S) == 130
        assert client.get(f"/jobs/{running[0]['id']}").json()["status"] == "cancelled"
