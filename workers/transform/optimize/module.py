"""A leaner copy of a model, proven equal to it before it is used."""

from collections.abc import Callable, Iterator

import structlog
from torch import nn

from workers.engine.device.tf32 import without_tf32
from workers.tracing.draws import is_large
from workers.tracing.equivalence import compare
from workers.tracing.float64_copy import as_float64, in_float64
from workers.tracing.samples import Tensors, draws, first_row
from workers.transform.optimize.folding import fold_batch_norms
from workers.transform.optimize.fused import use_fused_modules
from workers.transform.optimize.layout import channels_last

log = structlog.get_logger()
Step = Callable[[nn.Module, Tensors, int], nn.Module | None]
Faster = Callable[[nn.Module, nn.Module], bool]  # is the first faster than the second?
STEPS: tuple[Step, ...] = (use_fused_modules, fold_batch_norms)


def make_optimized(
    module: nn.Module, samples: list[Tensors], attributed: int, faster: Faster | None = None
) -> nn.Module:
    """A module for shared passes: a copy of `module` with what each step makes leaner, or `module` itself.

    The copy shares all weights that it did not have to change. It is used only if it is proven equal; if the steps
    together are not, they are tried in part. Which layout of convolutions is fast depends on the device and on what the
    steps left: channels last is taken where `faster` has measured that. Proofs are made without TF32, which alone would
    make equal modules differ. The module must be in evaluation mode and frozen; it is left as it was.

    Args:
        samples: what the module takes, at least one row each; the first `attributed` tensors get gradients. One sample
            stands for itself and its random neighbours.
        faster: measures two equal modules; None takes the first.
    """
    samples = samples if len(samples) > 1 else list(draws(first_row(samples[0])))[1:]  # it may be all zeros
    for steps, optimized in _candidates(module, first_row(samples[0]), attributed, faster):
        names = [step.__name__ for step in steps]
        try:
            with without_tf32():
                reason = _why_not_equal(module, optimized, steps, samples, attributed)
        except Exception as error:  # the model's own code
            reason = f"{type(error).__name__}: {error}"
        if reason is None:
            log.info("passes run a leaner model", steps=names)
            return optimized
        log.info("model cannot be made leaner", steps=names, reason=reason)
    return module


def _candidates(
    module: nn.Module, sample: Tensors, attributed: int, faster: Faster | None
) -> Iterator[tuple[tuple[Step, ...], nn.Module]]:
    """Copies by preference, not proven yet: a proof costs more than a measurement."""
    for steps in (*_choices(), ()):
        try:
            optimized = _made(module, steps, sample, attributed)
            laid_out = (
                channels_last(optimized or module, sample, attributed) if optimized is not None or not steps else None
            )
            if laid_out is not None and (faster is None or faster(laid_out, optimized or module)):
                yield (*steps, channels_last), laid_out
        except Exception as error:  # the model's own code, or a part that cannot be copied
            log.info("model cannot be made leaner", steps=[step.__name__ for step in steps], reason=repr(error))
            continue
        if optimized is not None:
            yield steps, optimized


def _choices() -> Iterator[tuple[Step, ...]]:
    """All steps, then each by itself."""
    yield STEPS
    yield from ((step,) for step in STEPS)


def _made(module: nn.Module, steps: tuple[Step, ...], sample: Tensors, attributed: int) -> nn.Module | None:
    """The result of those steps that find something to do, None if none does."""
    optimized = module
    for step in steps:
        optimized = step(optimized, sample, attributed) or optimized
    return None if optimized is module else optimized


def _why_not_equal(
    module: nn.Module, optimized: nn.Module, steps: tuple[Step, ...], samples: list[Tensors], attributed: int
) -> str | None:
    """None if it is proven, on the samples, that the steps change nothing but rounding.

    In float64 the steps, taken on a copy of the model, must keep outputs and input gradients to 1e-9 of the largest
    value. In the model's own precision outputs must be equal to 1e-5. Gradients in float32 prove nothing there: where
    an activation lies within rounding of the bend of a ReLU its gate falls one way or the other, in the original too.
    Of large rows, which cost seconds in float64, one sample is compared so and all in the model's own precision. Where
    the model has no float64, gradients are compared to 1e-5 in its own precision nevertheless.
    """
    sample = first_row(samples[0])
    exact = in_float64(module, sample)
    if exact is None:
        return compare(module, optimized, samples, attributed)
    changed = _made(exact, steps, as_float64(sample), attributed)
    precise = [as_float64(one) for one in (samples[:1] if is_large(sample) else samples)]
    reason = None if changed is None else compare(exact, changed, precise, attributed)
    return reason or compare(module, optimized, samples, attributed, gradients=False)
