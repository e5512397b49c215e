"""What people call a method, and its name here: Captum's class names and the usual short names. Pure."""

from schemas.methods.union import METHOD_NAMES

# Short names that mean one method and no other. `shap` and `gradient` could mean several, so they are not here.
_SHORT = {
    "ig": "integrated_gradients",
    "intgrad": "integrated_gradients",
    "integratedgradient": "integrated_gradients",
    "gradcam": "layer_grad_cam",
    "guidedgradientcam": "guided_grad_cam",
    "layerig": "layer_integrated_gradients",
    "neuronig": "neuron_integrated_gradients",
    "gradshap": "gradient_shap",
    "gradientshapley": "gradient_shap",
    "deepshap": "deep_lift_shap",
    "inputxgrad": "input_x_gradient",
    "gradxinput": "input_x_gradient",
    "gradientxinput": "input_x_gradient",
    "guidedbp": "guided_backprop",
    "guidedbackpropagation": "guided_backprop",
    "deconv": "deconvolution",
    "deconvnet": "deconvolution",
    "layerwiserelevancepropagation": "lrp",
    "smoothgradient": "smooth_grad",
}
_SEPARATORS = str.maketrans("", "", "_- ")
_PREFIX = "captum.attr."

_KNOWN = {name.translate(_SEPARATORS): name for name in METHOD_NAMES} | _SHORT


def canonical_method_name(text: str) -> str | None:
    """The method's name here, whatever the case and the separators; None if no method is called so.

    `IntegratedGradients`, `captum.attr.IntegratedGradients`, `Integrated Gradients` and `ig` are all
    `integrated_gradients`. Other characters are not forgiven: Grad-CAM++ is another method than Grad-CAM.
    """
    return _KNOWN.get(text.strip().removeprefix(_PREFIX).casefold().translate(_SEPARATORS))
