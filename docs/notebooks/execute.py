"""Runs the notebooks against a running service and writes them with their outputs.

    attribution serve                     # in another terminal
    python docs/notebooks/execute.py

The service is at `ATTRIBUTION_URL`, or at http://127.0.0.1:8000. So that the repository stays small, pictures are
written as JPEG, and once: what stands in the HTML of an output is left out beside it.
"""

import base64
import io
import os
import re
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from PIL import Image

HERE = Path(__file__).resolve().parent
NOTEBOOKS = ("first-attribution.ipynb", "cinco-familias.ipynb")
TIMEOUT_S = 300
EMBEDDED = re.compile(r"data:image/png;base64,([A-Za-z0-9+/=]+)")
PNG, JPEG, HTML = "image/png", "image/jpeg", "text/html"
QUALITY = 82


def executed(path: Path) -> Any:
    """The notebook with the outputs of a new run, in its own folder.

    The lines that a cell prints are one output, however many messages of the kernel brought them.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell failed.
    """
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    resources = {"metadata": {"path": str(HERE)}}
    NotebookClient(
        notebook, timeout=TIMEOUT_S, kernel_name="python3", resources=resources, coalesce_streams=True
    ).execute()
    return notebook


def shrink(notebook: Any) -> None:
    """Makes the pictures of the outputs small, and removes what differs from run to run."""
    notebook.metadata.pop("language_info", None)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if HTML in data:
                data[HTML] = EMBEDDED.sub(lambda found: f"data:image/jpeg;base64,{_small(found[1])}", data[HTML])
            picture = data.pop(PNG, None)
            if picture is not None and JPEG not in data.get(HTML, ""):
                data[JPEG] = _small(picture)


def _small(encoded: str) -> str:
    """A PNG in base64 as a JPEG in base64."""
    stream = io.BytesIO()
    with Image.open(io.BytesIO(base64.b64decode(encoded))) as picture:
        picture.convert("RGB").save(stream, "JPEG", quality=QUALITY, optimize=True)
    return base64.b64encode(stream.getvalue()).decode()


def main() -> None:
    """Runs and writes every notebook."""
    print(f"service: {os.environ.get('ATTRIBUTION_URL', 'http://127.0.0.1:8000')}")
    for name in NOTEBOOKS:
        notebook = executed(HERE / name)
        shrink(notebook)
        nbformat.write(notebook, HERE / name)
        print(f"written: {name}, {(HERE / name).stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
