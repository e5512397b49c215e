"""LRP's rules for layers that Captum has none for, put into Captum's tables: Captum calls these.

Captum 0.9.0 has its epsilon rule for two-dimensional layers alone, and lets relevance through ReLU, Tanh and Dropout.
The rule is the same for every layer that is linear in its input. A neuron's relevance is divided by what came together
before its activation (Bach et al., https://doi.org/10.1371/journal.pone.0130140), so it goes through every elementwise
activation unchanged. `docs/captum-differences.md` lists what this changes.
"""

from captum.attr._core.lrp import SUPPORTED_LAYERS_WITH_RULES, SUPPORTED_NON_LINEAR_LAYERS
from captum.attr._utils.lrp_rules import EpsilonRule
from torch import nn

from workers.methods.captum_changes.deep_lift_rules import ELEMENTWISE

LINEAR: tuple[type[nn.Module], ...] = (
    nn.AdaptiveAvgPool1d,
    nn.AdaptiveAvgPool3d,
    nn.AvgPool1d,
    nn.AvgPool3d,
    nn.BatchNorm1d,
    nn.BatchNorm3d,
    nn.Conv1d,
    nn.Conv3d,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.ConvTranspose3d,
)

# Captum's own tables, which `install` extends.
WITH_RULES = SUPPORTED_LAYERS_WITH_RULES
PASSED_THROUGH = SUPPORTED_NON_LINEAR_LAYERS


def install() -> None:
    """Puts the rules into Captum's tables."""
    WITH_RULES.update(dict.fromkeys(LINEAR, EpsilonRule))
    PASSED_THROUGH.extend(kind for kind in ELEMENTWISE if kind not in PASSED_THROUGH)
