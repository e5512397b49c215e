"""The running service, what every client sends to it, and the page of what came back."""

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conformance.conformance_page import Conformance
from tests.conformance.expected import Expected
from tests.e2e.running import RunningService
from tests.paths import ROOT

MODELS = ROOT / "models"
LIMIT_S = 120
TABLE, PICTURES, TEXTS = "breast-cancer-mlp", "efficientnet-lite0", "minilm-sentiment"
ROWS = 64


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of a service with the three models that ship."""
    running = RunningService(tmp_path_factory.mktemp("service") / "log", "--models", "models", standby=False)
    try:
        running.wait_until_ready()
        yield running.url
    finally:
        running.stop()


@pytest.fixture(scope="session")
def api(service: str) -> Iterator[httpx.Client]:
    """A plain client of `POST /explain`, which computes everything anew."""
    with httpx.Client(base_url=service, timeout=LIMIT_S, headers={"Cache-Control": "no-store"}) as client:
        yield client


@pytest.fixture(scope="session")
def document(service: str) -> dict[str, Any]:
    """What every client sends: 64 rows of a table, two texts, and a picture, with their parameters."""
    row: dict[str, float] = json.loads((MODELS / TABLE / "sample.json").read_text())
    named = [{name: value * (1 + index / 640) for name, value in row.items()} for index in range(ROWS)]
    return {
        "url": service,
        "limit_s": LIMIT_S,
        "models": {"table": TABLE, "picture": PICTURES, "text": TEXTS},
        "named_rows": named,
        "rows": [list(one.values()) for one in named],
        "texts": ["What a lovely film.", "The story is a tired, lifeless mess."],
        "picture": base64.b64encode((MODELS / PICTURES / "chelsea.jpg").read_bytes()).decode(),
        "parameters": {
            "table": {"method": "integrated_gradients", "n_steps": 20, "target": 1},
            "picture": {"method": "integrated_gradients", "n_steps": 5},
            "text": {"method": "integrated_gradients", "n_steps": 20, "target": 1},
        },
    }


@pytest.fixture(scope="session")
def conformance() -> Iterator[Conformance]:
    """Collects what each client has shown, and writes the page to where `CONFORMANCE_PAGE` says."""
    shown = Conformance()
    yield shown
    if path := os.environ.get("CONFORMANCE_PAGE"):
        Path(path).write_text(shown.page(), encoding="utf-8")


@pytest.fixture(scope="session")
def expected(api: httpx.Client, document: dict[str, Any]) -> Expected:
    """What `POST /explain` returns for the same inputs."""
    return Expected(api, document)


@pytest.fixture(scope="session")
def by_defaults(api: httpx.Client, document: dict[str, Any]) -> Expected:
    """The same by the models' own defaults, for clients that cannot name a method."""
    return Expected(api, {**document, "parameters": {}})
