"""What callers give, as the `input` of a request."""

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from attribution_client.errors import InputError
from attribution_client.inputs.arrays import as_json
from attribution_client.inputs.given import as_path, kind_of, prepare
from attribution_client.inputs.many import each_input
from attribution_client.wire.answers import ModelCard
from tests.client.cards import IMAGE, TABLE, TENSOR, TEXT, TWO

PIXELS = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)
ROW = {"age": 41.0, "income": 20.5}


def decoded(body: Any) -> Any:
    with Image.open(io.BytesIO(base64.b64decode(body["image"]))) as picture:
        return np.asarray(picture)


@pytest.fixture
def picture_file(tmp_path: Path) -> Path:
    path = tmp_path / "picture.dat"  # known by its content
    Image.fromarray(PIXELS).save(path, "PNG")
    return path


PICTURES: dict[str, Callable[[Path], Any]] = {
    "path": lambda path: path,
    "path as a string": str,
    "bytes": Path.read_bytes,
    "array": lambda _: PIXELS,
    "strided array": lambda _: np.repeat(PIXELS, 2, axis=1)[:, ::2],
    "tensor": lambda _: torch.as_tensor(PIXELS),
    "PIL": lambda _: Image.fromarray(PIXELS),
    "PIL from a file": Image.open,
}


@pytest.mark.parametrize("made", PICTURES.values(), ids=PICTURES.keys())
def test_a_picture_is_sent_without_loss(picture_file: Path, made: Callable[[Path], Any]) -> None:
    prepared = prepare(made(picture_file), IMAGE)
    assert prepared.single
    assert np.array_equal(decoded(prepared.body), PIXELS)


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 4)])
def test_pixels_with_other_channels(shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    assert np.array_equal(decoded(prepare(pixels, IMAGE).body), pixels.squeeze())


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "CMYK", "YCbCr", "F", "I;16"])
def test_modes_of_pil(mode: str) -> None:
    image = Image.fromarray(PIXELS).convert("L" if mode in {"F", "I;16"} else mode if mode != "I;16" else "L")
    assert decoded(prepare(image.convert(mode), IMAGE).body).shape[:2] == (5, 7)


def test_several_pictures() -> None:
    for given in ([PIXELS, PIXELS], np.stack([PIXELS, PIXELS]), [Image.fromarray(PIXELS)] * 2):
        prepared = prepare(given, IMAGE)
        assert not prepared.single
        body: Any = prepared.body
        assert len(body["image"]) == 2


ROWS: dict[str, Any] = {
    "dictionary": ROW,
    "numbers of numpy": {"age": np.float32(41), "income": np.float64(20.5)},
    "series": pd.Series(ROW),
    "array": np.array([41.0, 20.5]),
    "list": [41, 20.5],
    "tensor": torch.tensor([41.0, 20.5]),
}


@pytest.mark.parametrize("given", ROWS.values(), ids=ROWS.keys())
def test_a_row(given: Any) -> None:
    prepared = prepare(given, TABLE)
    assert prepared.single
    assert prepared.body == {"features": ROW}
    assert json.loads(json.dumps(prepared.body)) == prepared.body


TABLES: dict[str, Any] = {
    "frame": pd.DataFrame([ROW, ROW]),
    "array": np.array([[41.0, 20.5]] * 2),
    "dictionaries": [ROW, ROW],
    "lists": [[41, 20.5], [41, 20.5]],
    "series": [pd.Series(ROW), pd.Series(ROW)],
}


@pytest.mark.parametrize("given", TABLES.values(), ids=TABLES.keys())
def test_rows(given: Any) -> None:
    prepared = prepare(given, TABLE)
    assert not prepared.single
    assert prepared.body == {"features": [ROW, ROW]}


def test_files_of_rows_and_texts(tmp_path: Path) -> None:
    (tmp_path / "row.json").write_text(json.dumps(ROW))
    (tmp_path / "text.txt").write_text("Señor\n", encoding="utf-8")
    assert prepare(tmp_path / "row.json", TABLE).body == {"features": ROW}
    assert prepare(str(tmp_path / "row.json"), TABLE).body == {"features": ROW}
    assert prepare(tmp_path / "text.txt", TEXT).body == {"text": "Señor"}


def test_a_string_is_a_text_for_a_model_for_texts(picture_file: Path) -> None:
    assert prepare(str(picture_file), TEXT).body == {"text": str(picture_file)}
    assert prepare(["one", "two"], TEXT).body == {"text": ["one", "two"]}


def test_without_a_model_a_string_that_names_a_file_is_a_path(picture_file: Path) -> None:
    assert as_path(str(picture_file)) == picture_file
    assert as_path("no such file") == "no such file"
    assert as_path("a\0b") == "a\0b"
    assert as_path([str(picture_file), "x"]) == [picture_file, "x"]


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ("a text", "text"),
        (b"\x89PNG\r\n\x1a\n", "image"),
        (PIXELS, "image"),
        (np.ones(3), "tabular"),
        ([1, 2.5], "tabular"),
        (ROW, "tabular"),
        (pd.DataFrame([ROW]), "tabular"),
        (np.ones((3, 8, 8), np.float32), "tensor"),
        ({"tensors": []}, "tensor"),
        (["a", "b"], "text"),
    ],
    ids=str,
)
def test_the_kind_of_an_input(given: Any, kind: str) -> None:
    assert kind_of(given) == kind


@pytest.mark.parametrize(
    ("given", "card", "shape", "single"),
    [
        (np.ones((3, 8, 8), np.float32), IMAGE, [1, 3, 8, 8], True),
        (np.ones((2, 3, 8, 8), np.float32), IMAGE, [2, 3, 8, 8], False),
        (torch.ones(3, 8, 8, requires_grad=True), IMAGE, [1, 3, 8, 8], True),
        (torch.ones(4, 4, dtype=torch.bfloat16), TENSOR, [1, 4, 4], True),
        ([np.ones((4, 4)), np.ones((4, 4))], TENSOR, [2, 4, 4], False),
    ],
)
def test_model_ready_tensors(given: Any, card: ModelCard, shape: list[int], single: bool) -> None:
    prepared = prepare(given, card)
    body: Any = prepared.body
    assert body["tensor"]["shape"] == shape
    assert len(body["tensor"]["data"]) == int(np.prod(shape))
    assert prepared.single is single


@pytest.mark.parametrize(
    ("dtype", "datatype"),
    [
        ("float16", "FP16"),
        ("int16", "INT32"),
        ("uint32", "INT64"),
        ("int64", "INT64"),
        ("bool", "BOOL"),
        ("<f8", "FP64"),
    ],
)
def test_datatypes(dtype: str, datatype: str) -> None:
    body: Any = prepare(np.ones((1, 4, 4), dtype), TENSOR).body
    assert body["tensor"]["datatype"] == datatype


def test_a_model_of_two_tensors() -> None:
    body: Any = prepare([np.ones((1, 4)), np.ones((1, 5))], TWO).body
    assert [one["shape"] for one in body["tensors"]] == [[1, 4], [1, 5]]


def test_the_input_of_a_request_passes() -> None:
    assert prepare({"text": "a"}, TEXT).body == {"text": "a"}
    tensor = {"name": "x", "datatype": "FP32", "shape": [1], "data": [1.0]}
    assert prepare({"tensor": tensor}, IMAGE).body == {"tensor": tensor}


@pytest.mark.parametrize(
    ("given", "card", "message"),
    [
        ("nowhere.jpg", IMAGE, "nowhere.jpg: No such file"),
        ("a\0b", IMAGE, "null"),
        (Path(__file__), IMAGE, "neither a picture"),
        (b"<svg>", IMAGE, "neither a PNG"),
        (np.zeros((0, 5, 3), np.uint8), IMAGE, "empty"),
        ([], TEXT, "empty list"),
        (["a"] * 65, TEXT, "64 examples, not 65"),
        ([PIXELS, "nowhere"], IMAGE, "No such file"),
        (3.5, TEXT, "float is no input"),
        (None, TEXT, "NoneType is no input"),
        ({"age": "old"}, TABLE, "column 'age': 'old' is not a finite number"),
        (pd.DataFrame([ROW, {"age": float("nan"), "income": 1.0}]), TABLE, "row 1, column 'age'"),
        (np.ones(3), TABLE, "no table of the 2 columns"),
        (np.full((3, 8, 8), np.inf, np.float32), IMAGE, "NaN or infinity"),
        (np.array(["a"]), TENSOR, "no plain numbers"),
        (np.ones((4, 0)), TENSOR, "no input"),
    ],
    ids=str,
)
def test_what_cannot_be_sent(given: Any, card: ModelCard, message: str) -> None:
    with pytest.raises(InputError, match=message):
        prepare(given, card)


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    with path.open("wb") as file:
        file.truncate(13 * 2**20)
    with pytest.raises(InputError, match="larger than"):
        prepare(path, IMAGE)


def test_parameters_become_json() -> None:
    given = {
        "baseline": np.zeros((1, 2), np.float32),
        "window": (3, np.int64(8)),
        "eps": np.float32(0.5),
        "a": torch.tensor(2),
    }
    assert as_json(given) == {
        "baseline": {"tensor": {"name": "input", "datatype": "FP32", "shape": [1, 2], "data": [0.0, 0.0]}},
        "window": [3, 8],
        "eps": 0.5,
        "a": 2,
    }


def test_collections_of_inputs() -> None:
    each, count = each_input(pd.DataFrame([ROW, ROW]))
    assert (list(each), count) == ([ROW, ROW], 2)
    each, count = each_input(np.stack([PIXELS, PIXELS]))
    assert (next(each).shape, count) == ((5, 7, 3), 2)
    each, count = each_input(name for name in "ab")
    assert (list(each), count) == (["a", "b"], None)
    for one in ("a.jpg", b"", ROW, 3):
        with pytest.raises(InputError, match="map"):
            each_input(one)


def test_an_element_of_an_array_of_texts_is_a_text(tmp_path: Path) -> None:
    texts = np.array(["a text", "another"])
    assert [prepare(one, TEXT).body for one in each_input(texts)[0]] == [{"text": "a text"}, {"text": "another"}]
    assert kind_of(texts[0]) == "text"
    assert json.loads(json.dumps(as_json({"text": texts[1]}))) == {"text": "another"}
    Image.fromarray(PIXELS).save(tmp_path / "a.png")
    (path,) = np.array([str(tmp_path / "a.png")])
    assert np.array_equal(decoded(prepare(path, IMAGE).body), PIXELS)
