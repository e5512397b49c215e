"""Suggestions for unknown names."""

import pytest

from service.tuning import MAX_LISTED_FIELDS
from service.validation.document.suggest import nearest, unknown_field, with_suggestion

METHODS = ["saliency", "integrated_gradients", "layer_grad_cam"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("salency", "unknown; did you mean 'saliency'?"),
        ("SALIENCY", "unknown; did you mean 'saliency'?"),
        ("grad", "unknown; did you mean 'integrated_gradients' or 'layer_grad_cam'?"),
        ("zzz", "unknown; known: many"),
        ("", "unknown; known: many"),
        ("s" * 100_000, "unknown; known: many"),
    ],
)
def test_close_names(name: str, expected: str) -> None:
    assert with_suggestion("unknown", name, METHODS, "known: many") == expected


def test_a_problem_alone_stays_as_it_is() -> None:
    assert with_suggestion("no such {layer}", "zzz", METHODS) == "no such {layer}"


@pytest.mark.parametrize(
    ("name", "known", "expected"),
    [
        ("steps", ["n_steps", "method"], "n_steps"),
        ("iterations", ["n_samples", "abs"], "n_samples"),  # a synonym, unlike in spelling
        ("label", ["target", "model"], "target"),
        ("xyz", ["target", "model"], None),
    ],
)
def test_the_nearest_field(name: str, known: list[str], expected: str | None) -> None:
    assert nearest(name, known) == expected


def test_messages_about_unknown_fields() -> None:
    assert unknown_field("steps", ["n_steps"]) == "unknown field; did you mean 'n_steps'?"
    assert unknown_field("xyz", ["abs", "layer"]) == "unknown field; known here: abs, layer"
    assert unknown_field("xyz", [str(index) for index in range(MAX_LISTED_FIELDS + 1)]) == "unknown field"
