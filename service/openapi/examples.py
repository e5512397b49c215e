"""Example requests, which succeed against the models that ship, and example responses."""

from typing import Any

# A drawing of 32 x 32 pixels: sky, sun, meadow.
TINY_PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAACAAAAAgAgMAAAAOFJJnAAAACVBMVEWHzuvwyDw8eChm9JlEAAAATklEQVR42pXOoQ2AMBhE4Y8/xWPYpyMgmBLF"
    "CB0JD0kRBFFBUk693BN39GVekZAhGFmI1wcTiSAztKoHCpXg4GrVyf40pXb+HbZ/619wAxl1CULhxpYsAAAAAElFTkSuQmCC"
)

# Row 40 of scikit-learn's breast-cancer table.
NUCLEI: dict[str, float] = {
    "mean radius": 13.44,
    "mean texture": 21.58,
    "mean perimeter": 86.18,
    "mean area": 563.0,
    "mean smoothness": 0.08162,
    "mean compactness": 0.06031,
    "mean concavity": 0.0311,
    "mean concave points": 0.02031,
    "mean symmetry": 0.1784,
    "mean fractal dimension": 0.05587,
    "radius error": 0.2385,
    "texture error": 0.8265,
    "perimeter error": 1.572,
    "area error": 20.53,
    "smoothness error": 0.00328,
    "compactness error": 0.01102,
    "concavity error": 0.0139,
    "concave points error": 0.006881,
    "symmetry error": 0.0138,
    "fractal dimension error": 0.001286,
    "worst radius": 15.93,
    "worst texture": 30.25,
    "worst perimeter": 102.5,
    "worst area": 787.9,
    "worst smoothness": 0.1094,
    "worst compactness": 0.2043,
    "worst concavity": 0.2085,
    "worst concave points": 0.1112,
    "worst symmetry": 0.2994,
    "worst fractal dimension": 0.07146,
}

JSON_REQUESTS: dict[str, dict[str, Any]] = {
    "picture": {
        "summary": "Which pixels raise the score of this class?",
        "value": {
            "model": "efficientnet-lite0",
            "input": {"image": TINY_PNG},
            "method": {"name": "integrated_gradients", "n_steps": 20, "baseline": "blur"},
            "target": "Egyptian cat",
        },
    },
    "table_row": {
        "summary": "Which measurements led to the predicted class?",
        "value": {
            "model": "breast-cancer-mlp",
            "input": {"features": NUCLEI},
            "method": {"name": "gradient_shap", "n_samples": 20, "baseline": "background"},
            "seed": 7,
        },
    },
    "sentence": {
        "summary": "Which words make it negative?",
        "value": {
            "model": "minilm-sentiment",
            "input": {"text": "The cast is wonderful, but the story is a tired, lifeless mess."},
            "method": "integrated_gradients",
            "target": "negative",
        },
    },
    "tokens_share_the_score": {
        "summary": "Shapley values of the tokens, from sampled permutations; no gradient is needed",
        "value": {
            "model": "minilm-sentiment",
            "input": {"text": "Not bad at all."},
            "method": {"name": "shapley_value_sampling", "n_samples": 10},
            "seed": 7,
        },
    },
    "can_it_be_trusted": {
        "summary": "An explanation with metrics of its quality",
        "value": {
            "model": "breast-cancer-mlp",
            "input": {"features": NUCLEI},
            "method": {"name": "integrated_gradients", "baseline": "background"},
            "quality": [
                "infidelity",
                "sensitivity_max",
                "randomization",
                {"name": "deletion_insertion", "n_steps": 10},
            ],
        },
    },
    "one_inner_unit": {
        "summary": "Which measurements raise one unit of a hidden layer?",
        "value": {
            "model": "breast-cancer-mlp",
            "input": {"features": NUCLEI},
            "method": {"name": "neuron_integrated_gradients", "neuron_selector": 3},
        },
    },
    "where_the_model_looks": {
        "summary": "Grad-CAM at the model's default layer, enlarged to the picture",
        "value": {
            "model": "efficientnet-lite0",
            "input": {"image": TINY_PNG},
            "method": {"name": "layer_grad_cam", "relu_attributions": True, "upsample": True},
            "priority": "batch",
        },
    },
}

FORM_REQUESTS: dict[str, dict[str, Any]] = {
    "sentence": {
        "summary": "curl -F model=minilm-sentiment -F method=saliency -F text='What a lovely film.' …",
        "value": {"model": "minilm-sentiment", "method": "saliency", "text": "What a lovely film."},
    },
}

# The examples below omit fields that are null, because FastAPI omits them from the OpenAPI document.
_LINKS = {
    "self": "/jobs/kNq2mUeD0v8jW1c5aXo3Zw",
    "events": "/jobs/kNq2mUeD0v8jW1c5aXo3Zw/events",
    "result": "/jobs/kNq2mUeD0v8jW1c5aXo3Zw/result",
    "overlay": "/jobs/kNq2mUeD0v8jW1c5aXo3Zw/overlay.png",
}
QUEUED_JOB: dict[str, Any] = {
    "id": "kNq2mUeD0v8jW1c5aXo3Zw",
    "status": "queued",
    "progress": {"done": 0, "total": 52, "fraction": 0.0},
    "model": "efficientnet-lite0",
    "version": "1",
    "method": {
        "name": "integrated_gradients",
        "baseline": "zero",
        "n_steps": 50,
        "method": "gausslegendre",
        "multiply_by_inputs": True,
    },
    "target": [{"index": 285, "label": "Egyptian cat"}],
    "priority": "interactive",
    "created_at": "2026-03-01T12:00:00.000Z",
    "links": _LINKS,
}
SUCCEEDED_JOB: dict[str, Any] = {
    **QUEUED_JOB,
    "status": "succeeded",
    "progress": {"done": 52, "total": 52, "fraction": 1.0},
    "started_at": "2026-03-01T12:00:00.002Z",
    "finished_at": "2026-03-01T12:00:00.842Z",
}
CANCELLED_JOB: dict[str, Any] = {
    **QUEUED_JOB,
    "status": "cancelled",
    "finished_at": "2026-03-01T12:00:00.350Z",
}
EXPLANATION: dict[str, Any] = {
    "id": "kNq2mUeD0v8jW1c5aXo3Zw",
    "model": {"name": "tiny-table", "version": "1", "digest": "sha256:9f86d081884c7d65"},
    "method": {"name": "input_x_gradient"},
    "target": [{"index": 1, "label": "yes"}],
    "predictions": [[{"index": 1, "label": "yes", "score": 0.75}, {"index": 0, "label": "no", "score": 0.25}]],
    "attributions": [{"name": "input", "datatype": "FP32", "shape": [1, 2], "data": [0.5, -0.25]}],
    "features": [[{"name": "age", "value": 41.0, "score": 0.5}, {"name": "income", "value": 20.0, "score": -0.25}]],
    "warnings": [],
    "timing": {
        "queued_ms": 1.2,
        "prepare_ms": 0.4,
        "run_ms": 3.1,
        "wait_ms": 0.2,
        "pass_ms": 2.6,
        "rows": 2,
        "passes": 2,
        "fill": 0.5,
    },
    "provenance": {
        "service": "0.1.0",
        "captum": "0.9.0",
        "torch": "2.13.0",
        "device": "cpu",
        "dtype": "float32",
        "seed": 0,
    },
}
