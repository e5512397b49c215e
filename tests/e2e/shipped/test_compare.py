"""A comparison of the shipped picture model: its rows, and its command."""

import base64
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from tests.e2e.running import ROOT

CAT = ROOT / "models" / "efficientnet-lite0" / "chelsea.jpg"
TIMEOUT_S = 120.0
GRADIENTS: list[dict[str, Any]] = [
    {"name": "saliency"},
    {"name": "input_x_gradient"},
    {"name": "integrated_gradients", "n_steps": 8},
    {"name": "smooth_grad", "nt_samples": 4},
    {"name": "gradient_shap", "n_samples": 4},
]

pytestmark = pytest.mark.models


def picture(seed: int) -> str:
    """The cat with noise: a picture that no other test has sent."""
    with Image.open(CAT) as cat:
        pixels = np.asarray(cat.convert("RGB")).astype(int)
    noise = np.random.default_rng(seed).integers(-3, 4, pixels.shape)
    stream = io.BytesIO()
    Image.fromarray((pixels + noise).clip(0, 255).astype(np.uint8)).save(stream, "PNG", compress_level=1)
    return base64.b64encode(stream.getvalue()).decode()


def rows_of(client: httpx.Client, job: str) -> int:
    rows: int = client.get(f"/jobs/{job}/result").json()["timing"]["rows"]
    return rows


def test_five_gradient_methods_cost_no_row_more_than_alone(service: str) -> None:
    with httpx.Client(base_url=service, timeout=TIMEOUT_S) as client:
        alone = []
        for number, method in enumerate(GRADIENTS):  # each on a picture of its own, so that none shares a forward
            body = {"model": "efficientnet-lite0", "input": {"image": picture(number)}, "method": method, "target": 285}
            alone.append(rows_of(client, client.post("/explain?wait=60", json=body).json()["id"]))
        body = {
            "models": ["efficientnet-lite0"],
            "input": {"image": picture(99)},
            "methods": GRADIENTS,
            "targets": [285],
        }
        told = client.post("/compare?wait=60", json=body).json()
        assert told["status"] == "succeeded", told
        together = [rows_of(client, cell["job"]) for cell in told["cells"]]
    assert sum(together) <= sum(alone)
    assert all(one <= other for one, other in zip(together, alone, strict=True))
    assert len(told["agreement"]) == 10


def test_the_command_writes_a_sheet(service: str, tmp_path: Path) -> None:
    output = tmp_path / "sheet.png"
    arguments = ["--methods", "saliency,integrated_gradients,layer_grad_cam", "-o", str(output), "--scale", "own"]
    done = subprocess.run(
        [sys.executable, "-P", "-m", "cli", "compare", str(CAT), *arguments],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
        env={**os.environ, "ATTRIBUTION_URL": service, "COLUMNS": "120"},
    )
    assert done.returncode == 0, done.stderr
    assert "Egyptian cat" in done.stdout
    assert "rank correlation" in done.stdout
    assert done.stdout.count(" and ") == 3
    with Image.open(output) as sheet:
        assert sheet.format == "PNG"
        assert sheet.width > 4 * 300


def test_the_command_says_what_is_wrong(service: str, tmp_path: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-P", "-m", "cli", "compare", *arguments],
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
            env={**os.environ, "ATTRIBUTION_URL": service, "COLUMNS": "120"},
        )

    for arguments, message in (
        (["--methods", "nosuch"], "no such method"),
        (["--methods", json.dumps([{"name": "saliency", "abz": 1}])], "methods.0.abz"),
        (["-o", str(tmp_path / "sheet.svg")], "must end in .png"),
    ):
        done = run(str(CAT), *arguments)
        assert done.returncode == 2, done.stdout
        assert message in " ".join(done.stderr.split())
