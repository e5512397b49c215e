"""The notebooks run against the service, and the outputs that are committed are those of such a run."""

import base64
import io
from pathlib import Path
from typing import Any

import nbformat
import pytest
from PIL import Image

from docs.notebooks.execute import EMBEDDED, HERE, JPEG, NOTEBOOKS, executed, shrink
from tests.paths import ROOT

pytestmark = [pytest.mark.models, pytest.mark.slow]


def kinds(notebook: Any) -> list[list[list[str]]]:
    """The media types of each output of each cell, or the name of a stream."""
    return [
        [sorted(output["data"]) if "data" in output else [output["name"]] for output in cell.outputs]
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]


@pytest.mark.parametrize("name", NOTEBOOKS)
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # of the kernel's sockets
def test_a_notebook_runs_and_gives_what_is_committed(service: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTRIBUTION_URL", service)
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}:{ROOT / 'client'}")
    committed = nbformat.read(HERE / name, as_version=4)
    running = executed(HERE / name)
    shrink(running)
    assert kinds(running) == kinds(committed)
    text = "".join(output.get("text", "") for cell in running.cells for output in cell.get("outputs", []))
    expected = "".join(output.get("text", "") for cell in committed.cells for output in cell.get("outputs", []))
    assert [line.partition(":")[0] for line in text.splitlines()] == [
        line.partition(":")[0] for line in expected.splitlines()
    ]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_what_is_committed_is_complete_and_small(name: str) -> None:
    path = Path(HERE, name)
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert path.stat().st_size < 1_000_000
    pictures = []
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        assert cell.execution_count
        for output in cell.outputs:
            assert output.output_type != "error"
            data = output.get("data", {})
            pictures += [data[JPEG]] if JPEG in data else []
            html = data.get("text/html", "").replace("image/jpeg", "image/png")
            pictures += EMBEDDED.findall(html)
    assert len(pictures) >= 3
    for encoded in pictures:
        with Image.open(io.BytesIO(base64.b64decode(encoded))) as picture:
            assert min(picture.size) > 60
