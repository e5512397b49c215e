"""What Captum's hook methods would get wrong on a module, found by running it."""

from collections.abc import Iterator
from typing import Any

from captum.attr._core.deep_lift import SUPPORTED_NON_LINEAR
from captum.attr._core.lrp import SUPPORTED_LAYERS_WITH_RULES, SUPPORTED_NON_LINEAR_LAYERS
from torch import nn

from workers.rewrite.graph import Observation, Operation, observe
from workers.rewrite.samples import Tensors, doubled, labelled

# Operations by autograd's names that copy and move values …
MOVES = frozenset(
    "Alias AsStrided Cat Clone CopyBackwards CopySlices Copy Diagonal Expand Flip Gather Index IndexSelect Movedim "
    "Narrow ConstantPadNd Permute PixelShuffle PixelUnshuffle ReflectionPad ReplicationPad Repeat ReshapeAlias Roll Select "
    "Slice Split SplitWithSizes Squeeze Stack T ToCopy Transpose Unbind Unfold Unsqueeze UnsafeSplit UnsafeView View "
    "Chunk ViewAs Contiguous ReflectionPad1D ReflectionPad2D ReflectionPad3D ReplicationPad1D ReplicationPad2D "
    "ReplicationPad3D ChannelShuffle Im2Col UnsafeChunk RepeatInterleave".split()
)
# … that are linear in their operands …
LINEAR = MOVES | frozenset(
    "Add Sub Rsub Neg Sum Mean Cumsum AvgPool1D AvgPool2D AvgPool3D AdaptiveAvgPool1D AdaptiveAvgPool2D AdaptiveAvgPool3D "
    "MkldnnAdaptiveAvgPool2D NativeBatchNorm CudnnBatchNorm MiopenBatchNorm UpsampleNearest1D UpsampleNearest2D "
    "UpsampleNearest3D UpsampleNearestExact1D UpsampleNearestExact2D UpsampleLinear1D UpsampleBilinear2D UpsampleBicubic2D "
    "UpsampleTrilinear3D Col2Im MaskedFill Tril Triu Trace IndexAdd Scatter ScatterAdd GridSampler2D".split()
)
# … and that multiply: linear while only one of the operands at these positions depends on the input.
FACTORS = {
    "Mul": {0, 1},
    "Mm": {0, 1},
    "Bmm": {0, 1},
    "Mv": {0, 1},
    "Dot": {0, 1},
    "Linear": {0, 1},
    "Convolution": {0, 1},
    "CudnnConvolution": {0, 1},
    "MkldnnConvolution": {0, 1},
    "ConvolutionOverrideable": {0, 1},
    "Addmm": {1, 2},
    "Baddbmm": {1, 2},
    "Addbmm": {1, 2},
    "Addmv": {1, 2},
}
_LRP_LEAVES = (*SUPPORTED_LAYERS_WITH_RULES, *SUPPORTED_NON_LINEAR_LAYERS)


def hook_problems(module: nn.Module, sample: Tensors, attributed: int | None = None) -> dict[str, str]:
    """Why a family of methods is not right on this module; a family that is has no entry.

    `deep_lift` is DeepLift and DeepLiftShap, `guided` GuidedBackprop and Deconvolution, `lrp` LRP. `sample` is what the
    module takes, with at least one row; the first `attributed` tensors (all if None) are what attributions are for.

    Raises:
        Whatever the module raises.
    """
    if not any(tensor.is_floating_point() for tensor in sample[:attributed]):
        return dict.fromkeys(("deep_lift", "guided", "lrp"), "the inputs are integers, without a gradient")
    seen = observe(module, sample, attributed)
    twice = observe(module, doubled(sample, sample), attributed)
    found = {
        "deep_lift": list(_deep_lift(module, seen, twice)),
        "guided": list(_guided(module, seen)),
        "lrp": list(_lrp(module, seen)),
    }
    return {family: _summary(reasons) for family, reasons in found.items() if reasons}


def nonlinear(operation: Operation) -> str | None:
    """Why the operation is not linear in what depends on the input."""
    if operation.batch_statistics:
        return "normalises with the statistics of its batch"
    if operation.name in LINEAR or (operation.name == "Div" and 1 not in operation.factors):
        return None
    factors = FACTORS.get(operation.name)
    if factors is None and operation.name != "Div":
        return f"computes {operation.name}, which is no module with a rule"
    if operation.name == "Div" or len(factors & operation.factors if factors else ()) > 1:
        return f"multiplies or divides ({operation.name}) values that both depend on the input"
    return None


def _deep_lift(root: nn.Module, seen: Observation, twice: Observation) -> Iterator[str]:
    kinds = {path: type(part) for path, part in root.named_modules()}
    yield from _hooked(root, seen, tuple(SUPPORTED_NON_LINEAR), exactly=True)
    for path, kind in kinds.items():
        rows = seen.rows.get(path), twice.rows.get(path)
        if kind in SUPPORTED_NON_LINEAR and rows[0] and rows[1] != 2 * rows[0]:
            # A fold of two rows into one batch of two is meant: see WindowedMaxPool.
            yield f"{labelled(root, path)} gets values whose first dimension is not the batch"
    for operation in seen.operations:
        if kinds[operation.owner] in SUPPORTED_NON_LINEAR:
            continue
        reason = nonlinear(operation)
        if reason is not None:
            yield f"{labelled(root, operation.owner)} {reason}; DeepLIFT would use the plain gradient there"
    for path, function in seen.decisions:
        yield f"{labelled(root, path)} takes a decision that depends on the input ({function})"


def _guided(root: nn.Module, seen: Observation) -> Iterator[str]:
    parts = dict(root.named_modules())
    yield from _hooked(root, seen, (nn.ReLU,), exactly=False)
    for operation in seen.operations:
        bends = operation.name in ("Relu", "Hardtanh", "Clamp", "ClampMin", "Threshold")
        if bends and not isinstance(parts[operation.owner], nn.ReLU):
            yield f"{labelled(root, operation.owner)} computes {operation.name} outside of an nn.ReLU"


def _lrp(root: nn.Module, seen: Observation) -> Iterator[str]:
    leaves = {path: part for path, part in root.named_modules() if path and not any(part.children())}
    for path, part in leaves.items():
        if type(part) not in _LRP_LEAVES and not hasattr(part, "rule"):
            yield f"{labelled(root, path)} is a layer without a rule"
    yield from _hooked(root, seen, _LRP_LEAVES, exactly=True)
    for operation in seen.operations:
        if operation.owner not in leaves and operation.name not in MOVES:
            yield f"{labelled(root, operation.owner)} computes {operation.name} outside of any layer with a rule"
    if not leaves:
        yield "the model has no layers"


def _hooked(root: nn.Module, seen: Observation, kinds: tuple[Any, ...], *, exactly: bool) -> Iterator[str]:
    """What is wrong with the calls of the modules that a method hangs its hooks on."""
    for path, part in root.named_modules():
        if not (type(part) in kinds if exactly else isinstance(part, kinds)):
            continue
        if seen.calls[path] > 1:
            yield f"{labelled(root, path)} is called {seen.calls[path]} times in one forward"
        if path in seen.without_gradient:
            yield f"{labelled(root, path)} gets values that do not depend on the input, where its hook fails"


def _summary(reasons: list[str]) -> str:
    unique = list(dict.fromkeys(reasons))
    return unique[0] if len(unique) == 1 else f"{unique[0]} (and {len(unique) - 1} more)"
