"""Models as they are written, made right for methods that hook activation modules.

Captum's DeepLIFT, guided backpropagation, deconvolution and LRP replace the backward pass of modules. They are wrong
on a module that is called twice, and pass over an activation that is called as a function. Here a copy of the model,
with the same weights, calls a module of its own for each of these (`separate`), is proven equal to the model (`proof`),
and is searched for what these methods would still get wrong (`defects`).
"""

from workers.tracing.equivalence import verify
from workers.transform.hookable.defects import hook_defects, lacks_lrp_rules
from workers.transform.hookable.separate import HookableModule, separate_activations

__all__ = ["HookableModule", "hook_defects", "lacks_lrp_rules", "separate_activations", "verify"]
