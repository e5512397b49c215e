"""The modules of Compare that only compute, each run in the browser on values of which the right result is known."""

import base64
import io
import zipfile
import zlib
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page

from tests.browser.visit import Visits

ZIP = """
async ([at, files]) => {
  const { zip, crc32 } = await import(at + "lib/zip.js");
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const blob = zip(files.map(([name, text]) => ({name, data: bytes(text)})), new Date(2026, 1, 28, 23, 59, 58));
  const packed = new Uint8Array(await blob.arrayBuffer());
  const text = Array.from(packed, (byte) => String.fromCharCode(byte)).join("");
  return [btoa(text), files.map(([, content]) => crc32(bytes(content)))];
}
"""
BOTH = """
async ([at, maps]) => {
  const { strongestOfBoth } = await import(at + "views/compare/maps.js");
  const [first, second] = maps.map(([height, width, values]) => ({height, width, values: Float64Array.from(values)}));
  const { side, kinds, shares } = strongestOfBoth(first, second);
  return { side, kinds: Array.from(kinds), shares };
}
"""
STRONGEST = """
async ([at, [values, percentile]]) => {
  const { strongestOf } = await import(at + "views/compare/maps.js");
  return strongestOf({height: 1, width: values.length, values: Float64Array.from(values)}, percentile);
}
"""
NAMES = """
async ([at, cells]) => {
  const { cellNames } = await import(at + "views/compare/cell_names.js");
  return cellNames({cells}, {methods: [{name: "a", title: "A"}, {name: "b", title: "B"}]});
}
"""


class Modules:
    """Runs functions in a page with the address of its modules."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._at = page.evaluate("() => new URL('.', document.querySelector('script[type=module]').src).href")

    def __call__(self, function: str, given: Any) -> Any:
        return self._page.evaluate(function, [self._at, given])


@pytest.fixture
def run(visits: Visits) -> Modules:
    return Modules(visits().open("#/learn"))


def cell(method: str, target: str | None = None, model: str = "m", version: str | None = "1") -> dict[str, Any]:
    classes = None if target is None else [{"index": 0, "label": target}]
    return {"method": {"name": method}, "target": classes, "model": model, "version": version}


def test_an_archive_holds_what_was_packed(run: Modules) -> None:
    files = {"01-saliency.npy": bytes(range(256)) * 300, "leer.txt": b"", "mañana/ñ.json": "{«1»}".encode()}
    sent = [[name, base64.b64encode(content).decode()] for name, content in files.items()]
    packed, checks = run(ZIP, sent)
    assert checks == [zlib.crc32(content) for content in files.values()]
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(packed))) as opened:
        assert opened.testzip() is None
        assert {name: opened.read(name) for name in opened.namelist()} == files
        assert {entry.compress_type for entry in opened.infolist()} == {zipfile.ZIP_STORED}
        assert {entry.date_time for entry in opened.infolist()} == {(2026, 2, 28, 23, 59, 58)}


def test_an_empty_archive(run: Modules) -> None:
    packed, _ = run(ZIP, [])
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(packed))) as opened:
        assert opened.namelist() == []


def test_where_two_maps_differ(run: Modules) -> None:
    """The first is strongest in the upper tenth, with either sign; the second in the left tenth."""
    upper, left = np.zeros((160, 160)), np.zeros((320, 320))
    upper[:16] = -3
    left[:, :32] = 2
    found = run(BOTH, [[*one.shape, one.ravel().tolist()] for one in (upper, left)])
    kinds = np.reshape(found["kinds"], (found["side"], found["side"]))
    expected = np.zeros((160, 160), dtype=int)
    expected[:16] += 1
    expected[:, :16] += 2
    np.testing.assert_array_equal(kinds, expected)
    union = (expected > 0).sum()
    assert found["shares"] == pytest.approx(
        {"first": (expected == 1).sum() / union, "second": (expected == 2).sum() / union, "both": 256 / union}
    )


def test_a_map_of_zeros_has_no_strongest_part(run: Modules) -> None:
    found = run(BOTH, [[2, 2, [0.0] * 4], [2, 2, [0.0] * 4]])
    assert set(found["kinds"]) == {0}
    assert found["shares"] == {"first": 0, "second": 0, "both": 0}


@pytest.mark.parametrize("values", [list(range(-50, 51)), [0.0] * 999 + [7.0], [0.0]], ids=["signs", "sparse", "zero"])
def test_the_strongest_value_is_that_of_the_service(run: Modules, values: list[float]) -> None:
    """The percentile of the magnitudes, as numpy interpolates it; the largest one where that is 0."""
    magnitudes = np.abs(values)
    expected = np.percentile(magnitudes, 99) or magnitudes.max()
    assert run(STRONGEST, [values, 99]) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("cells", "names"),
    [
        ([cell("a", "cat"), cell("b", "cat")], ["A", "B"]),
        ([cell("a", "cat"), cell("b", version=None)], ["A", "B"]),  # refused
        ([cell("a", "cat"), cell("a", "dog"), cell("a")], ["cat", "dog", "A"]),
        ([cell("a", "cat"), cell("a", "cat", "n", "2")], ["m", "n"]),
        ([cell("a", "cat"), cell("a", "cat", version="2")], ["m 1", "m 2"]),
        ([cell("a", "cat"), cell("a", "cat")], ["A (1)", "A (2)"]),
        ([cell("other", "cat")], ["other"]),
    ],
)
def test_names_tell_cells_apart(run: Modules, cells: list[dict[str, Any]], names: list[str]) -> None:
    assert run(NAMES, cells) == names
