"""Examples of the Open Inference Protocol: requests, which succeed against the models that ship, and answers."""

from typing import Any

from service.openapi.examples import NUCLEI, TINY_PNG
from service.release import RELEASE

SERVER: dict[str, Any] = {
    "name": "attribution-service",
    "version": RELEASE,
    "extensions": ["binary_tensor_data"],
}
MODEL: dict[str, Any] = {
    "name": "breast-cancer-mlp",
    "versions": ["1"],
    "platform": "captum",
    "inputs": [{"name": "input", "datatype": "FP64", "shape": [-1, 30]}],
    "outputs": [{"name": "explanation", "datatype": "BYTES", "shape": [1, 1]}],
}
REQUESTS: dict[str, Any] = {
    "table_rows": {
        "summary": "Two rows of a table, for breast-cancer-mlp",
        "value": {
            "parameters": {"explain_parameters": {"method": "integrated_gradients", "n_steps": 20, "target": 1}},
            "inputs": [
                {"name": "rows", "datatype": "FP64", "shape": [2, 30], "data": [*NUCLEI.values(), *NUCLEI.values()]}
            ],
        },
    },
    "picture": {
        "summary": "A picture as base64, for efficientnet-lite0",
        "value": {
            "parameters": {"method": "saliency"},
            "inputs": [{"name": "picture", "datatype": "BYTES", "shape": [1], "data": [TINY_PNG]}],
        },
    },
    "texts": {
        "summary": "Two texts, for minilm-sentiment",
        "value": {
            "id": "7",
            "parameters": {"method": "saliency"},
            "inputs": [
                {"name": "text", "datatype": "BYTES", "shape": [2], "data": ["What a lovely film.", "Not bad at all."]}
            ],
        },
    },
}
ANSWER: dict[str, Any] = {
    "id": "kNq2mUeD0v8jW1c5aXo3Zw",
    "model_name": "tiny-table-explainer",
    "model_version": "1",
    "parameters": {"job": "/jobs/kNq2mUeD0v8jW1c5aXo3Zw"},
    "outputs": [
        {
            "name": "explanation",
            "datatype": "BYTES",
            "shape": [1, 1],
            "parameters": {"content_type": "str"},
            "data": ['{"meta":{"name":"Saliency"},"data":{"attributions":[[[0.5,-0.25]]],"target":[1]}}'],
        }
    ],
}
EXPLAIN_ANSWER: dict[str, Any] = {
    **ANSWER,
    "model_name": "tiny-table",
    "outputs": [{"name": "explain", "datatype": "FP32", "shape": [1, 2], "data": [[0.5, -0.25]]}],
}
