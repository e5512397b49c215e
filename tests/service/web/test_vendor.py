"""The vendored files of the page are those that were published, with their licences."""

import hashlib
import json
from importlib.resources import files
from pathlib import Path

import pytest

VENDOR = Path(str(files("service.web"))) / "static" / "vendor"
ENTRIES = json.loads((VENDOR / "vendor.json").read_text())["files"]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: str(entry["file"]))
def test_hash_and_licence(entry: dict[str, str]) -> None:
    assert hashlib.sha256((VENDOR / entry["file"]).read_bytes()).hexdigest() == entry["sha256"]
    for licence in entry["license"]:
        assert "Copyright" in (VENDOR / licence).read_text()


def test_every_vendored_file_is_listed() -> None:
    listed = {entry["file"] for entry in ENTRIES} | {name for entry in ENTRIES for name in entry["license"]}
    assert {file.name for file in VENDOR.iterdir()} == listed | {"vendor.json"}
