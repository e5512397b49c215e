"""Rule modules: copies of a model whose backward pass follows the rules of DeepLIFT, guided backpropagation or
deconvolution.

Captum replaces gradients by hooks on the model's modules, so such a method needs the model to itself. In a rule module
each activation is an operation with a backward pass of its own (`rule_module`), and rows of many jobs share its passes.
It is made from the optimized module, and used only if it is proven equal to Captum's hooks (`proof`).
"""

from workers.transform.rules.rule_module import Paired, RuleWay
from workers.transform.rules.rule_modules import NEW_RULES, RuleChoice, make_rule_modules, repeat_rule_module

__all__ = ["NEW_RULES", "Paired", "RuleChoice", "RuleWay", "make_rule_modules", "repeat_rule_module"]
