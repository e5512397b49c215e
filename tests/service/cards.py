"""Cards of models as workers publish them: the three that ship, and small ones for what those do not show."""

import tomllib
from typing import Any

from schemas.methods import METHOD_NAMES
from schemas.models import (
    Defaults,
    FeatureCard,
    InputCard,
    LayerCard,
    MethodSupport,
    ModelCard,
    OutputCard,
)
from tests.paths import MODELS


def _card(
    name: str, shown: InputCard, output: OutputCard, defaults: Defaults, *, unsupported: str = "", **more: Any
) -> ModelCard:
    methods = [
        MethodSupport.of(method, "the model has no layers" if method == unsupported else None)
        for method in METHOD_NAMES
    ]
    more = {"version": "1", **more}
    return ModelCard(
        name=name,
        status="ready",
        digest="sha256:00",
        input=shown,
        output=output,
        defaults=defaults,
        methods=methods,
        **more,
    )


def image_card(version: str = "1") -> ModelCard:
    labels = (MODELS / "efficientnet-lite0" / "labels.txt").read_text(encoding="utf-8").splitlines()
    return _card(
        "efficientnet-lite0",
        InputCard(kind="image", shapes=[[3, 224, 224]]),
        OutputCard(kind="classification", size=len(labels), shape=[len(labels)], labels=labels),
        Defaults(method="integrated_gradients", baseline="zero", shap_baseline="zero", layer="features.17"),
        version=version,
        layers=[
            LayerCard(name="features.17", type="Conv2d", output_shape=[1280, 7, 7]),
            LayerCard(name="features.7", type="Conv2d", output_shape=[80, 14, 14]),
            LayerCard(name="classifier", type="Linear", output_shape=[len(labels)]),
        ],
        baselines=["zero", "black", "white", "mean", "blur"],
    )


def table_card() -> ModelCard:
    config = tomllib.loads((MODELS / "breast-cancer-mlp" / "model.toml").read_text(encoding="utf-8"))
    columns = [FeatureCard(**column) for column in config["input"]["features"]]
    return _card(
        "breast-cancer-mlp",
        InputCard(kind="tabular", shapes=[[len(columns)]], features=columns),
        OutputCard(kind="classification", size=2, shape=[2], labels=["malignant", "benign"]),
        Defaults(method="integrated_gradients", baseline="zero", shap_baseline="background", layer="hidden2"),
        layers=[LayerCard(name="hidden2", type="Linear", output_shape=[16])],
        baselines=["zero", "background"],
        background_rows=20,
    )


def text_card() -> ModelCard:
    return _card(
        "minilm-sentiment",
        InputCard(kind="text", shapes=[[128]], datatype="INT64", max_tokens=128),
        OutputCard(kind="classification", size=2, shape=[2], labels=["negative", "positive"]),
        Defaults(
            method="integrated_gradients",
            baseline="pad",
            shap_baseline="pad",
            layer="encoder.embeddings.word_embeddings",
        ),
        layers=[LayerCard(name="encoder.embeddings.word_embeddings", type="Embedding", output_shape=[128, 384])],
        baselines=["pad", "zero"],
    )


def tensor_card(name: str = "two-tensors", shapes: list[list[int]] | None = None, **more: Any) -> ModelCard:
    """Regression over model-ready tensors; two inputs of three numbers where no shapes are given."""
    output = more.pop("output", OutputCard(kind="regression", size=1, shape=[]))
    datatype = more.pop("datatype", "FP32")
    return _card(
        name,
        InputCard(kind="tensor", shapes=shapes or [[3], [3]], datatype=datatype, vocabularies=more.pop("ids", None)),
        output,
        Defaults(method="saliency", baseline="zero", shap_baseline="zero"),
        baselines=["zero"],
        unsupported="deep_lift",
        **more,
    )


def failed_card() -> ModelCard:
    return ModelCard(name="broken", version="1", status="failed", error="model.toml is missing")


ALL_CARDS = [
    image_card(),
    table_card(),
    text_card(),
    tensor_card(),
    tensor_card("maps", [[2, 4, 4]], output=OutputCard(kind="regression", size=3, shape=[3])),
    tensor_card("integers", [[3]], datatype="INT32", output=OutputCard(kind="classification", size=4, shape=[4])),
    tensor_card(
        "places",
        [[1, 4, 6]],
        output=OutputCard(kind="classification", size=2, shape=[2, 4, 6], labels=["road", "sky"]),
    ),
    tensor_card(
        "ids",
        [[3]],
        datatype="INT64",
        ids=[20],
        output=OutputCard(kind="classification", size=2, shape=[2]),
        layers=[
            LayerCard(name="words", type="Embedding", output_shape=[3, 4]),
            LayerCard(name="flat", type="Flatten", refused="the layer does not give one row for each example"),
            LayerCard(name="size", type="Size", output_shape=[3], input_refused="the layer takes complex numbers"),
            LayerCard(name="turn", type="Turn", output_shape=[3], output_refused="the layer gives complex numbers"),
        ],
    ),
    tensor_card("depths", [[1, 4, 6]], output=OutputCard(kind="regression", size=1, shape=[1, 4, 6])),
    tensor_card("halves", [[3]], datatype="FP16"),
    tensor_card("wide", [[2000]]),
    failed_card(),
]
