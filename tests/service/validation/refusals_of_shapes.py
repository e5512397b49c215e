"""Requests with a field of the wrong name or form, and a part of the message that each must get."""

from typing import Any, NamedTuple

from service.openapi.examples import NUCLEI, TINY_PNG
from tests.service.validation.refusals import Loc, method, picture, row, tensor, text


class Hinted(NamedTuple):
    body: dict[str, Any]
    loc: Loc
    message: str


def without(body: dict[str, Any], key: str, **more: Any) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != key} | more


BARE = {"shape": [1, 2], "data": [0, 1]}
AS_TENSOR = 'give {"tensor": {"shape": […], "data": […]}}'
NOT_A_LOCATION = "not a URL or a path"
IG, LIME, LAYER = "integrated_gradients", "lime", "layer_feature_ablation"

OF_NAMES = [
    Hinted(row(**method(IG, steps=20)), ["method", "steps"], "'n_steps'"),
    Hinted(row(**method(IG, baselines="zero")), ["method", "baselines"], "'baseline'"),
    Hinted(row(**method("smooth_grad", samples=3)), ["method", "samples"], "'nt_samples'"),
    Hinted(row(**method("saliency", n_steps=3)), ["method", "n_steps"], "known here: abs"),
    Hinted(row(**method("IntegratedGradients", step=20)), ["method", "step"], "'n_steps'"),
    Hinted(without(row(), "model", model_name="breast-cancer-mlp"), ["model_name"], "'model'"),
    Hinted(without(row(), "input", inputs={"features": NUCLEI}), ["inputs"], "'input'"),
    Hinted(row(n_steps=20), ["n_steps"], "'n_steps' inside 'method'"),
    Hinted(row(image=TINY_PNG), ["image"], "'image' inside 'input'"),
    Hinted(picture(input={"file": TINY_PNG}), ["input", "file"], "'image'"),
    Hinted(text(input={"sentence": "x"}), ["input", "sentence"], "'text'"),
    Hinted(text(input={"text": "x", "lang": "en"}), ["input", "lang"], "known here: image, text"),
    Hinted(tensor([1], [1], input={"tensor": {"shape": [1], "values": [1]}}), ["input", "tensor", "values"], "'data'"),
    Hinted(row(quality=[{"name": "infidelity", "samples": 3}]), ["quality", 0, "samples"], "'n_perturb_samples'"),
]
OF_KINDS = [
    Hinted(row(input={"features": [1.0, 2.0]}), ["input", "features"], "features have names"),
    Hinted(row(input={"features": [[1.0], [2.0]]}), ["input", "features"], "features have names"),
    Hinted(row(input={"features": [1.0] * 1500}), ["input", "features"], "features have names"),
    Hinted(row(input={"features": [NUCLEI, 3]}), ["input", "features", 1], "a row is an object"),
    Hinted(row(input="x"), ["input"], "exactly one of image, text"),
    Hinted(tensor([1], [1], input={"tensor": [1, 2]}), ["input", "tensor"], "a tensor is an object"),
    Hinted(tensor([1], [1], input={"tensors": BARE}), ["input", "tensors"], "a list of tensors"),
    Hinted(row(**method(LIME, feature_mask=BARE)), ["method", "feature_mask"], f"a bare tensor; {AS_TENSOR}"),
    Hinted(row(**method(LIME, feature_mask=[[0, 1]])), ["method", "feature_mask"], f"a bare array; {AS_TENSOR}"),
    Hinted(row(**method(LIME, feature_mask={"grids": [2, 2]})), ["method", "feature_mask", "grids"], "'grid'"),
    Hinted(
        row(**method(LIME, feature_mask={"superpixel": 9})), ["method", "feature_mask", "superpixel"], "'superpixels'"
    ),
    Hinted(row(**method(LIME, feature_mask={})), ["method", "feature_mask"], '{"grid": [rows, columns]}'),
    Hinted(row(**method(LIME, feature_mask={"grid": [2, 2], "superpixels": 4})), ["method", "feature_mask"], "one of"),
    Hinted(row(**method(IG, baseline=BARE)), ["method", "baseline"], f"a bare tensor; {AS_TENSOR}"),
    Hinted(row(**method(IG, baseline=0)), ["method", "baseline"], '{"tensor": {"shape"'),
    Hinted(row(**method(IG, baseline=0.5)), ["method", "baseline"], "a bare number"),
    Hinted(row(**method(IG, baseline=[0, 0])), ["method", "baseline"], f"a bare array; {AS_TENSOR}"),
    Hinted(row(**method(IG, baseline="zeros")), ["method", "baseline"], "'zero'"),
    Hinted(row(**method(IG, baseline={"tensor": 3})), ["method", "baseline", "tensor"], "a tensor is an object"),
    Hinted(row(**method(LAYER, layer_mask=[0])), ["method", "layer_mask"], AS_TENSOR),
    Hinted(row(**method(LAYER, layer_baselines="zero")), ["method", "layer_baselines"], "a number"),
    Hinted(row(method=3), ["method"], "the method's name"),
    Hinted(row(quality="infidelity"), ["quality"], "a list of metrics"),
    Hinted(row(target={"index": 1}), ["target"], "an index, a label"),
]
OF_PLACES = [
    Hinted(picture(input={"image": given}), ["input", "image"], NOT_A_LOCATION)
    for given in (
        "http://example.org/a.png",
        "https://example.org/cat",
        "s3://bucket/cat",
        "file:///home/me/cat.png",
        "/path/x.png",
        "/path/to/",
        "C:\\pictures\\cat.jpg",
        "../cat",
        "file.jpg",
        {"url": "http://example.org/a.png"},
    )
] + [Hinted(picture(input={"image": given}), ["input", "image"], "base64") for given in ("/9j/4AA", "not base64!")]
OF_NESTING = [
    Hinted(tensor([2, 2], [[1, 2], [3]]), ["input", "tensor", "data"], "ragged"),
    Hinted(tensor([2, 2], [[1, 2], 3]), ["input", "tensor", "data"], "ragged"),
    Hinted(tensor([2, 2], [[1, [2]], [3, 4]]), ["input", "tensor", "data"], "ragged"),
    Hinted(tensor([2, 3], [[1, 2], [3, 4], [5, 6]]), ["input", "tensor", "data"], "nested as [3, 2]"),
    Hinted(tensor([4], [[1, 2], [3, 4]]), ["input", "tensor", "data"], "the shape is [4]"),
    Hinted(tensor([1], [[[[[[[[[[1]]]]]]]]]]), ["input", "tensor", "data"], "at most 8"),
    Hinted(tensor([1, 2], [["x", 1]]), ["input", "tensor", "data", 0], "number"),
    Hinted(tensor([2, 1000], [[1] * 1000, [1] * 999 + ["x"]]), ["input", "tensor", "data", 1999], "numbers"),
    Hinted(tensor([1, 2], [[], []]), ["input", "tensor", "data"], "nested as [2, 0]"),
]
