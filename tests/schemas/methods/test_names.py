"""Names of methods as people write them."""

import captum.attr
import pytest

from schemas.methods import METHOD_NAMES
from schemas.methods.names import canonical_method_name


@pytest.mark.parametrize("name", METHOD_NAMES)
def test_a_name_stands_for_itself_in_every_spelling(name: str) -> None:
    words = name.split("_")
    spellings = [name, name.upper(), "-".join(words), " ".join(words), "".join(w.capitalize() for w in words)]
    assert {canonical_method_name(spelling) for spelling in spellings} == {name}


@pytest.mark.parametrize(
    "cls",
    [
        "IntegratedGradients",
        "LayerGradCam",
        "GuidedGradCam",
        "DeepLiftShap",
        "ShapleyValueSampling",
        "LRP",
        "LayerLRP",
        "NeuronGuidedBackprop",
        "InputXGradient",
    ],
)
def test_captums_class_names(cls: str) -> None:
    assert getattr(captum.attr, cls).__name__ == cls
    name = canonical_method_name(cls)
    assert name in METHOD_NAMES
    assert name.replace("_", "") == cls.lower()
    assert canonical_method_name(f"captum.attr.{cls}") == name


@pytest.mark.parametrize(
    ("short", "name"),
    [
        ("ig", "integrated_gradients"),
        ("IG", "integrated_gradients"),
        ("gradcam", "layer_grad_cam"),
        ("grad_cam", "layer_grad_cam"),
        ("Grad-CAM", "layer_grad_cam"),
        ("gradshap", "gradient_shap"),
        ("Gradient x Input", "input_x_gradient"),
        ("deconvnet", "deconvolution"),
    ],
)
def test_short_names(short: str, name: str) -> None:
    assert canonical_method_name(short) == name


@pytest.mark.parametrize("text", ["", "shap", "gradient", "grad-cam++", "Grad-CAM++", "magic", "ig2", "captum.attr."])
def test_what_means_no_method_or_several_is_not_guessed(text: str) -> None:
    assert canonical_method_name(text) is None
