"""Every request that must be refused before it becomes a job: what is sent, and the field that must be named."""

import base64
import io
import struct
import zlib
from typing import Any, NamedTuple

from PIL import Image

from service.openapi.examples import NUCLEI, TINY_PNG

Loc = list[str | int]


class Refused(NamedTuple):
    name: str
    body: dict[str, Any]
    loc: Loc
    status: int = 422
    code: str = "invalid-request"


def picture(**more: Any) -> dict[str, Any]:
    return {"model": "efficientnet-lite0", "input": {"image": TINY_PNG}, "method": "saliency", **more}


def row(**more: Any) -> dict[str, Any]:
    return {"model": "breast-cancer-mlp", "input": {"features": NUCLEI}, "method": "saliency", **more}


def text(**more: Any) -> dict[str, Any]:
    return {"model": "minilm-sentiment", "input": {"text": "good"}, "method": "saliency", **more}


def tensor(shape: list[int], data: list[Any], model: str = "maps", **more: Any) -> dict[str, Any]:
    given = {"shape": shape, "data": data}
    return {"model": model, "input": {"tensor": given}, "method": "saliency", "target": 0, **more}


def place(target: Any, model: str = "places") -> dict[str, Any]:
    """Asks for an output of the model that has a score per class and place."""
    return tensor([1, 1, 4, 6], [1.0] * 24, model, target=target)


def pair(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    return {"model": "two-tensors", "input": {"tensors": [first, second]}, "method": "saliency"}


def method(name: str, **parameters: Any) -> dict[str, Any]:
    return {"method": {"name": name, **parameters}}


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def image_bytes(form: str, size: tuple[int, int] = (16, 16), mode: str = "RGB") -> bytes:
    stream = io.BytesIO()
    Image.new(mode, size).save(stream, form)
    return stream.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that declares a picture of that size."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    )


GOOD_MAP = {"shape": [1, 2, 4, 4], "data": [1.0] * 32}
NAN = float("nan")

REFUSED = [
    # the model
    Refused("unknown model", picture(model="efficientnet-lite1"), ["model"], 404, "model-not-found"),
    Refused("unknown version", picture(version="9"), ["version"], 404, "model-not-found"),
    Refused("a path as model", picture(model="../etc/passwd"), ["model"]),
    Refused("no model", {"input": {"text": "x"}}, ["model"]),
    Refused("a model that failed to load", text(model="broken"), [], 503, "model-unavailable"),
    # the method
    Refused("unknown method", row(method="saliencia"), ["method", "name"]),
    Refused("no method name", row(method={"abs": True}), ["method", "name"]),
    Refused("unknown parameter", row(**method("saliency", n_steps=3)), ["method", "n_steps"]),
    Refused("unknown field", row(metod="saliency"), ["metod"]),
    Refused("unsupported method", tensor([1, 2, 4, 4], [1.0] * 32, **method("deep_lift")), ["method", "name"]),
    Refused("too many steps", row(**method("integrated_gradients", n_steps=2001)), ["method", "n_steps"]),
    Refused("one step", row(**method("integrated_gradients", n_steps=1)), ["method", "n_steps"]),
    Refused("NaN as parameter", row(**method("smooth_grad", stdevs=NAN)), ["method", "stdevs"]),
    Refused("too many samples", row(**method("gradient_shap", n_samples=10**9)), ["method", "n_samples"]),
    Refused("parameter of another inner method", row(**method("smooth_grad", n_steps=20)), ["method", "n_steps"]),
    Refused(
        "too much work",
        row(**method("smooth_grad", attribution_method="integrated_gradients", nt_samples=1000, n_steps=2000)),
        ["method"],
    ),
    # the layer
    Refused("unknown layer", picture(**method("layer_grad_cam", layer="features.18")), ["method", "layer"]),
    Refused("no default layer", tensor([1, 2, 4, 4], [1.0] * 32, **method("layer_activation")), ["method", "layer"]),
    Refused("upsample of a table", row(**method("layer_activation", upsample=True)), ["method", "upsample"]),
    Refused(
        "upsample of no map",
        picture(**method("layer_activation", layer="classifier", upsample=True)),
        ["method", "upsample"],
    ),
    # the target
    Refused("unknown label", picture(target="Egyptian dog"), ["target"]),
    Refused("target out of range", picture(target=1000), ["target"]),
    Refused("negative target", picture(target=-1), ["target"]),
    Refused("absurd target", picture(target=10**12), ["target"]),
    Refused("too many targets", picture(target=[1, 2]), ["target"]),
    Refused("one wrong target of two", row(input={"features": [NUCLEI, NUCLEI]}, target=[0, 2]), ["target", 1]),
    Refused("target of no regression", pair(*[{"shape": [1, 3], "data": [1, 2, 3]}] * 2) | {"target": 0}, ["target"]),
    Refused("no target of several outputs", tensor([1, 2, 4, 4], [1.0] * 32, target=None), ["target"]),
    Refused("a place of an output without any", picture(target=[[1, 2]]), ["target", 0]),
    Refused("a map without a place", place(None), ["target"]),
    Refused("a class without a place", place("road"), ["target"]),
    Refused("a place of too few dimensions", place([1, 2]), ["target"]),
    Refused("a place of too many dimensions", place([1, 2, 3, 0]), ["target"]),
    Refused("a class out of range", place([2, 0, 0]), ["target", 0]),
    Refused("no such class", place(["tree", 0, 0]), ["target", 0]),
    Refused("a row out of range", place([0, 4, 0]), ["target", 1]),
    Refused("a word for a column", place([[0, 3, "sky"]]), ["target", 0, 2]),
    Refused("null for a row", place([0, None, 0]), ["target", 1]),
    Refused("null for an index", row(input={"features": [NUCLEI, NUCLEI]}, target=[None, 1]), ["target", 0]),
    Refused("the class that a regression predicts", place([None, 0, 0], "depths"), ["target", 0]),
    Refused("one place too many", place([[0, 0, 0], [1, 1, 1]]), ["target"]),
    Refused("a label where there are none", tensor([1, 2, 4, 4], [1.0] * 32, target="cat"), ["target"]),
    # the kind of input
    Refused("two inputs", text(input={"text": "x", "image": TINY_PNG}), ["input"]),
    Refused("no input", text(input={}), ["input"]),
    Refused("text for a picture model", picture(input={"text": "x"}), ["input", "text"]),
    Refused("a tensor for a text model", text(input={"tensor": GOOD_MAP}), ["input", "tensor"]),
    Refused("blank text", text(input={"text": " \n"}), ["input", "text"]),
    Refused("a text too long", text(input={"text": "x" * 20_001}), ["input", "text"]),
    # features
    Refused("a missing feature", row(input={"features": {"mean radius": 1.0}}), ["input", "features", "mean texture"]),
    Refused("an unknown feature", row(input={"features": {**NUCLEI, "radius": 1}}), ["input", "features", "radius"]),
    Refused(
        "NaN as feature", row(input={"features": {**NUCLEI, "mean area": NAN}}), ["input", "features", "mean area"]
    ),
    Refused(
        "a word as feature",
        row(input={"features": [NUCLEI, {**NUCLEI, "mean area": "x"}]}),
        ["input", "features", 1, "mean area"],
    ),
    Refused("no rows", row(input={"features": []}), ["input", "features"]),
    Refused("too many rows", row(input={"features": [NUCLEI] * 65}), ["input", "features"]),
    # tensors
    Refused("a shape that does not multiply out", tensor([1, 2, 4, 4], [1.0] * 31), ["input", "tensor"]),
    Refused("a shape of another model", tensor([1, 2, 4, 5], [1.0] * 40), ["input", "tensor", "shape"]),
    Refused("another rank", tensor([32], [1.0] * 32), ["input", "tensor", "shape"]),
    Refused("an absurd dimension", tensor([10**12], [1.0]), ["input", "tensor", "shape", 0]),
    Refused("an absurd product", tensor([8_000_000, 8_000_000], [1.0]), ["input", "tensor"]),
    Refused("a dimension of zero", tensor([0], []), ["input", "tensor", "shape", 0]),
    Refused("nine dimensions", tensor([1] * 9, [1.0]), ["input", "tensor", "shape"]),
    Refused("too many examples", tensor([65, 2, 4, 4], [1.0] * 65 * 32), ["input", "tensor", "shape", 0]),
    Refused("NaN in a tensor", tensor([1, 2, 4, 4], [NAN] + [1.0] * 31), ["input", "tensor", "data", 0]),
    Refused("NaN in a long tensor", tensor([64, 2, 4, 4], [1.0] * 2047 + [NAN]), ["input", "tensor", "data", 2047]),
    Refused("a word in a long tensor", tensor([64, 2, 4, 4], ["x"] + [1.0] * 2047), ["input", "tensor", "data", 0]),
    Refused("a fraction as integer", tensor([1, 3], [1, 2, 0.5], "integers"), ["input", "tensor", "data", 2]),
    Refused("an id that is none", tensor([2, 3], [0, 1, 19, 2, 20, 0], "ids"), ["input", "tensor", "data", 4]),
    Refused("a negative id", tensor([1, 3], [0, -1, 2], "ids"), ["input", "tensor", "data", 1]),
    Refused(
        "a baseline of ids that are none",
        tensor(
            [1, 3],
            [0, 1, 2],
            "ids",
            **method(
                "layer_integrated_gradients", layer="words", baseline={"tensor": {"shape": [1, 3], "data": [0, 0, 20]}}
            ),
        ),
        ["method", "baseline", "tensor", "data", 2],
    ),
    Refused(
        "a layer without a row for each example",
        tensor([1, 3], [0, 1, 2], "ids", **method("layer_activation", layer="flat")),
        ["method", "layer"],
    ),
    Refused(
        "a layer that gives complex numbers",
        tensor([1, 3], [0, 1, 2], "ids", **method("layer_activation", layer="turn")),
        ["method", "layer"],
    ),
    Refused(
        "a layer that takes complex numbers",
        tensor([1, 3], [0, 1, 2], "ids", **method("layer_activation", layer="size", attribute_to_layer_input=True)),
        ["method", "layer"],
    ),
    Refused("an integer out of range", tensor([1, 3], [1, 2**31, 0], "integers"), ["input", "tensor", "data", 1]),
    Refused(
        "half precision that overflows",
        tensor([1, 3], [1, 1e5, 0], "halves", target=None),
        ["input", "tensor", "data", 1],
    ),
    Refused("single precision that overflows", tensor([1, 2, 4, 4], [1e39] * 32), ["input", "tensor", "data", 0]),
    Refused("one tensor of two", tensor([1, 3], [1, 2, 3], "two-tensors", target=None), ["input", "tensor"]),
    Refused(
        "different numbers of examples",
        pair({"shape": [1, 3], "data": [1, 2, 3]}, {"shape": [2, 3], "data": [1] * 6}),
        ["input", "tensors", 1, "shape", 0],
    ),
    # pictures
    Refused("no base64", picture(input={"image": "not base64!"}), ["input", "image"]),
    Refused("a data URI without base64", picture(input={"image": "data:image/svg+xml,%3Csvg/%3E"}), ["input", "image"]),
    Refused("a data URI of bad base64", picture(input={"image": "data:image/png;base64,abc"}), ["input", "image"]),
    Refused("no picture", picture(input={"image": encoded(b"hello, world")}), ["input", "image"]),
    Refused(
        "a broken picture", picture(input={"image": encoded(base64.b64decode(TINY_PNG)[:100])}), ["input", "image"]
    ),
    Refused("a bombing picture", picture(input={"image": encoded(bomb(60_000, 60_000))}), ["input", "image"]),
    Refused("a huge strip", picture(input={"image": encoded(bomb(2**31 - 1, 1))}), ["input", "image"]),
    Refused("a tiny picture", picture(input={"image": encoded(image_bytes("PNG", (4, 4)))}), ["input", "image"]),
    Refused("another format", picture(input={"image": encoded(image_bytes("BMP"))}), ["input", "image"]),
    # baselines, masks, windows
    Refused("a baseline of texts", picture(**method("deep_lift", baseline="pad")), ["method", "baseline"]),
    Refused("an unknown baseline", picture(**method("deep_lift", baseline="grey")), ["method", "baseline"]),
    Refused(
        "a background that is none", picture(**method("gradient_shap", baseline="background")), ["method", "baseline"]
    ),
    Refused(
        "a baseline of another shape",
        row(**method("integrated_gradients", baseline={"tensor": {"shape": [1, 29], "data": [0] * 29}})),
        ["method", "baseline", "tensor", "shape"],
    ),
    Refused(
        "a baseline with too many rows",
        row(**method("integrated_gradients", baseline={"tensor": {"shape": [2, 30], "data": [0] * 60}})),
        ["method", "baseline", "tensor", "shape", 0],
    ),
    Refused(
        "a baseline tensor for a text",
        text(**method("integrated_gradients", baseline={"tensor": {"shape": [1], "data": [0]}})),
        ["method", "baseline", "tensor"],
    ),
    Refused(
        "a grid over a table",
        row(**method("feature_ablation", feature_mask={"grid": [2, 2]})),
        ["method", "feature_mask", "grid"],
    ),
    Refused(
        "more noise than memory is given to",
        picture(**method("smooth_grad", nt_samples=1_000)),
        ["method", "nt_samples"],
    ),
    Refused(
        "superpixels of a text",
        text(**method("lime", feature_mask={"superpixels": 20})),
        ["method", "feature_mask", "superpixels"],
    ),
    Refused("words of a picture", picture(**method("lime", feature_mask="words")), ["method", "feature_mask"]),
    Refused(
        "a grid without columns",
        picture(**method("feature_ablation", feature_mask={"grid": [2]})),
        ["method", "feature_mask", "grid"],
    ),
    Refused(
        "an absurd feature number",
        row(**method("feature_ablation", feature_mask={"tensor": {"shape": [1, 30], "data": [0] * 29 + [2**54]}})),
        ["method", "feature_mask", "tensor", "data", 29],
    ),
    Refused(
        "half a feature",
        row(**method("feature_ablation", feature_mask={"tensor": {"shape": [1, 30], "data": [0.5] * 30}})),
        ["method", "feature_mask", "tensor", "data", 0],
    ),
    Refused(
        "a window of another rank",
        picture(**method("occlusion", sliding_window_shapes=[8, 8])),
        ["method", "sliding_window_shapes"],
    ),
    Refused(
        "a window larger than the picture",
        picture(**method("occlusion", sliding_window_shapes=[3, 225, 8])),
        ["method", "sliding_window_shapes", 1],
    ),
    Refused(
        "strides that leave gaps",
        picture(**method("occlusion", sliding_window_shapes=[3, 8, 8], strides=[3, 9, 8])),
        ["method", "strides", 1],
    ),
    Refused(
        "strides without a window",
        picture(**method("occlusion", strides=[3, 8, 8])),
        ["method", "sliding_window_shapes"],
    ),
    Refused("too many windows", picture(**method("occlusion", sliding_window_shapes=[1, 1, 1])), ["method"]),
    Refused(
        "no window for a large example",
        tensor([1, 2000], [1.0] * 2000, "wide", target=None, **method("occlusion")),
        ["method", "sliding_window_shapes"],
    ),
    # the rest
    Refused("a seed out of range", row(seed=2**32), ["seed"]),
    Refused("an unknown priority", row(priority="urgent"), ["priority"]),
]
