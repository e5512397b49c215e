"""Classifies autograd's operations by name (`Relu` for `ReluBackward0`): moving values, linear, not linear."""

import re

from schemas.sentences import Sentence
from workers.tracing.trace import Operation

_MOVING = re.compile(
    r"Alias|AsStrided|Cat|ChannelShuffle|Chunk|Clone|ConstantPadNd|Contiguous|Copy|CopyBackwards|CopySlices|Diagonal"
    r"|Expand|Flip|Gather|Im2Col|Index|IndexSelect|Movedim|Narrow|Permute|PixelShuffle|PixelUnshuffle|Repeat"
    r"|RepeatInterleave|(Reflection|Replication)Pad\w*|ReshapeAlias|Roll|Select|Slice|(Unsafe)?Split(WithSizes)?|Squeeze"
    r"|Stack|T|ToCopy|Transpose|Unbind|Unfold|(Unsafe)?View|ViewAs|Unsqueeze"
)
_LINEAR = re.compile(
    r"Add|Sub|Rsub|Neg|Sum|Mean|Cumsum|(Mkldnn)?(Adaptive)?AvgPool\w*|(Native|Cudnn|Miopen)BatchNorm|Upsample\w+"
    r"|Col2Im|MaskedFill|Tril|Triu|IndexAdd|Scatter|ScatterAdd"
)
# Linear if at most one operand at these positions depends on the input.
_FACTORS = {
    "Mul": {0, 1},
    "Mm": {0, 1},
    "Bmm": {0, 1},
    "Mv": {0, 1},
    "Dot": {0, 1},
    "Linear": {0, 1},
    "MkldnnLinear": {0, 1},
    "Convolution": {0, 1},
    "CudnnConvolution": {0, 1},
    "MkldnnConvolution": {0, 1},
    "ConvolutionOverrideable": {0, 1},
    "Addmm": {1, 2},
    "Baddbmm": {1, 2},
    "Addbmm": {1, 2},
    "Addmv": {1, 2},
}


def moves(operation: Operation) -> bool:
    """Whether the operation copies or moves values and changes none."""
    return _MOVING.fullmatch(operation.name) is not None


def why_not_linear(operation: Operation) -> str | None:
    """Why the operation is not linear in the operands that depend on the input; None where it is."""
    name = operation.name
    if operation.batch_statistics:
        return "normalises with the statistics of its batch"
    if moves(operation) or _LINEAR.fullmatch(name):
        return None
    if name == "Div":
        return "divides by a value that depends on the input" if 1 in operation.factors else None
    if name not in _FACTORS:
        return Sentence("computes {operation}, which is no module with a rule", operation=name)
    if len(_FACTORS[name] & operation.factors) > 1:
        return Sentence("multiplies values that both depend on the input ({operation})", operation=name)
    return None
