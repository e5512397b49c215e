"""Hookable modules: copies of a model on which methods that hook activation modules give right answers.

Captum's DeepLIFT, guided backpropagation, deconvolution and LRP replace the backward pass of modules. They are wrong
on a module that is called twice, and they miss an activation that is called as a function. A hookable module calls a
separate module for each activation (`separate`), is proven equal to the model, and is searched for what these methods
would still get wrong (`defects`).
"""

from workers.transform.hookable.defects import hook_defects, lacks_lrp_rules
from workers.transform.hookable.separate import HookableModule, Way, repeat_way, separate_activations

__all__ = ["HookableModule", "Way", "hook_defects", "lacks_lrp_rules", "repeat_way", "separate_activations"]
