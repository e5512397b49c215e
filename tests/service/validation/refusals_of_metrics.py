"""Requests refused for the quality metrics that they ask for."""

from typing import Any

from service.openapi.examples import NUCLEI
from tests.service.validation.refusals import Refused, method, picture, row, tensor, text


def with_metrics(*metrics: Any, name: str = "integrated_gradients", **parameters: Any) -> dict[str, Any]:
    """Metrics of a method."""
    return {"quality": list(metrics), **method(name, **parameters)}


def named(name: str, **parameters: Any) -> dict[str, Any]:
    return {"name": name, **parameters}


TWO_ROWS = {"input": {"features": [NUCLEI, NUCLEI]}}

OF_QUALITY = [
    # their form
    Refused("no such metric", row(**with_metrics("complete")), ["quality", 0, "name"]),
    Refused("a metric without a name", row(**with_metrics({})), ["quality", 0, "name"]),
    Refused("no list of metrics", row(quality="completeness"), ["quality"]),
    Refused("a number as metric", row(**with_metrics(7)), ["quality", 0]),
    Refused("a metric twice", row(**with_metrics("infidelity", named("infidelity", normalize=True))), ["quality"]),
    Refused("too many metrics", row(**with_metrics(*["infidelity"] * 6)), ["quality"]),
    Refused(
        "an unknown parameter of a metric",
        row(**with_metrics("completeness", named("infidelity", n_samples=5))),
        ["quality", 1, "n_samples"],
    ),
    Refused(
        "no perturbed copies",
        row(**with_metrics(named("infidelity", n_perturb_samples=0))),
        ["quality", 0, "n_perturb_samples"],
    ),
    Refused(
        "a radius of zero",
        row(**with_metrics(named("sensitivity_max", perturb_radius=0))),
        ["quality", 0, "perturb_radius"],
    ),
    Refused(
        "an unknown perturbation",
        row(**with_metrics(named("infidelity", perturbation="blur"))),
        ["quality", 0, "perturbation"],
    ),
    Refused(
        "absurdly many steps",
        row(**with_metrics(named("deletion_insertion", n_steps=10**6))),
        ["quality", 0, "n_steps"],
    ),
    Refused(
        "absurdly many stages", row(**with_metrics(named("randomization", stages=10**6))), ["quality", 0, "stages"]
    ),
    Refused("an unknown order", row(**with_metrics(named("randomization", order="random"))), ["quality", 0, "order"]),
    # what means nothing for the method
    Refused("completeness of rates", row(**with_metrics("completeness", name="saliency")), ["quality", 0, "name"]),
    Refused(
        "completeness without multiplying by inputs",
        row(**with_metrics("completeness", multiply_by_inputs=False)),
        ["quality", 0, "name"],
    ),
    Refused("completeness without a baseline", row(**with_metrics("completeness", name="lrp")), ["quality", 0, "name"]),
    Refused(
        "completeness of a unit",
        row(**with_metrics("completeness", name="neuron_integrated_gradients", neuron_selector=1)),
        ["quality", 0, "name"],
    ),
    Refused(
        "infidelity of a layer", row(**with_metrics("infidelity", name="layer_activation")), ["quality", 0, "name"]
    ),
    Refused(
        "infidelity of a unit",
        row(**with_metrics("infidelity", name="neuron_gradient", neuron_selector=1)),
        ["quality", 0, "name"],
    ),
    Refused(
        "infidelity of a permutation",
        row(**TWO_ROWS, **with_metrics("infidelity", name="feature_permutation")),
        ["quality", 0, "name"],
    ),
    Refused(
        "the width of no noise",
        row(**with_metrics(named("infidelity", perturbation="baseline", stdevs=0.2))),
        ["quality", 0, "stdevs"],
    ),
    Refused(
        "sensitivity of a permutation",
        row(**TWO_ROWS, **with_metrics("sensitivity_max", name="feature_permutation")),
        ["quality", 0, "name"],
    ),
    Refused(
        "sensitivity to token ids",
        text(**with_metrics("sensitivity_max", name="layer_activation")),
        ["quality", 0, "name"],
    ),
    Refused(
        "curves of a layer",
        picture(**with_metrics("deletion_insertion", name="layer_grad_cam")),
        ["quality", 0, "name"],
    ),
    Refused(
        "curves of a unit",
        row(**with_metrics("deletion_insertion", name="neuron_gradient", neuron_selector=1)),
        ["quality", 0, "name"],
    ),
    # what means nothing for the model
    Refused(
        "sensitivity of integers",
        tensor([1, 3], [1, 2, 3], "integers", quality=["sensitivity_max"], **method("feature_ablation")),
        ["quality", 0, "name"],
    ),
    Refused(
        "noise on integers",
        tensor(
            [1, 3],
            [1, 2, 3],
            "integers",
            quality=[named("infidelity", perturbation="noise")],
            **method("feature_ablation"),
        ),
        ["quality", 0, "perturbation"],
    ),
    Refused(
        "a blurred table",
        row(**with_metrics(named("deletion_insertion", insertion_baseline="blur"))),
        ["quality", 0, "insertion_baseline"],
    ),
    Refused(
        "a padded picture",
        picture(**with_metrics(named("deletion_insertion", deletion_baseline="pad"))),
        ["quality", 0, "deletion_baseline"],
    ),
    Refused(
        "a background that is none to delete",
        picture(**with_metrics(named("deletion_insertion", deletion_baseline="background"))),
        ["quality", 0, "deletion_baseline"],
    ),
    # what is too much
    Refused(
        "too many rows of quality", row(**with_metrics(named("sensitivity_max", n_perturb_samples=500))), ["quality"]
    ),
    Refused(
        "more perturbed copies than memory is given to",
        picture(**with_metrics(named("infidelity", n_perturb_samples=1_000))),
        ["quality", 0, "n_perturb_samples"],
    ),
    Refused(
        "noisy copies of perturbed copies",
        picture(**with_metrics(named("sensitivity_max", n_perturb_samples=50), name="smooth_grad", nt_samples=50)),
        ["quality", 0, "n_perturb_samples"],
    ),
]
