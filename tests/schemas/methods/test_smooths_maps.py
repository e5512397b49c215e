"""Which methods' maps are drawn smooth by default: those of regions and layers, not those of single pixels."""

from schemas.methods import METHODS

GRAIN = {
    "saliency",
    "input_x_gradient",
    "integrated_gradients",
    "gradient_shap",
    "smooth_grad",
    "deep_lift",
    "deep_lift_shap",
    "guided_backprop",
    "deconvolution",
    "guided_grad_cam",
    "lrp",
}


def test_maps_of_pixel_gradients_keep_their_grain() -> None:
    kept = {name for name, method in METHODS.items() if not method.smooths_maps()}
    assert {name for name in kept if METHODS[name].kind == "input"} == GRAIN
    assert "neuron_gradient" in kept


def test_maps_of_regions_and_layers_are_smoothed() -> None:
    smoothed = {name for name, method in METHODS.items() if method.smooths_maps()}
    assert {name for name in METHODS if name.startswith(("layer_", "internal_"))} <= smoothed
    assert {"occlusion", "feature_ablation", "kernel_shap", "lime", "neuron_feature_ablation"} <= smoothed
