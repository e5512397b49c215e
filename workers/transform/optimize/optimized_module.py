"""Makes a cheaper copy of a model, and proves it equal before it is used."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import structlog
from torch import nn

from workers.engine.device.tf32 import without_tf32
from workers.tracing.equivalence import why_not_equal
from workers.tracing.float64_copy import as_float64
from workers.tracing.samples import Tensors, first_row, neighbours
from workers.transform.optimize.folding import fold_batch_norms
from workers.transform.optimize.fused import use_fused_modules
from workers.transform.optimize.layout import channels_last

log = structlog.get_logger()
Step = Callable[[nn.Module, Tensors, int], nn.Module | None]  # (module, sample, attributed) -> copy, or None: no change
# Whether the first module is faster than the second; None where that cannot be measured.
Faster = Callable[[nn.Module, nn.Module], bool | None]
STEPS: tuple[Step, ...] = (use_fused_modules, fold_batch_norms)
SELECTIONS: tuple[tuple[Step, ...], ...] = (STEPS, *((step,) for step in STEPS), ())  # in order of preference


@dataclass(frozen=True, slots=True)
class Optimized:
    """A module for shared passes.

    Attributes:
        module: the copy, or the original.
        steps: names of the steps that made the copy; none for the original.
        conclusive: False where a step, a measurement or a proof raised, so that another time may have another outcome.
    """

    module: nn.Module
    steps: tuple[str, ...]
    conclusive: bool


def make_optimized(
    module: nn.Module, samples: list[Tensors], attributed: int, faster: Faster | None = None
) -> nn.Module:
    """The module of `optimize`."""
    return optimize(module, samples, attributed, faster).module


def repeat_steps(module: nn.Module, names: Sequence[str], sample: Tensors, attributed: int) -> nn.Module:
    """The copy that steps of an earlier `optimize` make; it is not proven.

    Raises:
        Exception: a step cannot be applied, as it was before.
    """
    quick: dict[str, Step] = {step.__name__: step for step in STEPS} | {
        use_fused_modules.__name__: partial(use_fused_modules, prove=False)
    }
    steps = tuple(step for name, step in quick.items() if name in names)
    changed = _apply(module, steps, sample, attributed) or module
    laid_out = channels_last(changed, sample, attributed) if channels_last.__name__ in names else changed
    return laid_out or changed


def optimize(
    module: nn.Module,
    samples: list[Tensors],
    attributed: int,
    faster: Faster | None = None,
    smaller: list[Tensors] | None = None,
) -> Optimized:
    """Makes a cheaper copy of `module` for shared passes, where one is found.

    The copy shares all weights that no step recomputes. It is used only if it is proven equal. If the copy of all steps
    is not, copies of single steps are tried. Which layout of convolutions is faster depends on the device and on the
    other steps, so it is measured. Proofs run without TF32, whose rounding would make equal modules differ.

    Args:
        module: in evaluation mode and frozen; it is not changed.
        samples: what the module takes, one row or more each. A single sample is replaced by random neighbours of it,
            because it may be all zeros.
        attributed: number of leading tensors that get gradients.
        faster: compares two equal modules by measurement; None: the channels-last layout is always preferred.
        smaller: as in `why_not_equal`.
    """
    samples = samples if len(samples) > 1 else list(neighbours(first_row(samples[0])))[1:]
    failures: list[str] = []
    # Steps look at the operations and check themselves on a row; the proof of what they made includes the own size.
    for steps, optimized in _candidates(module, first_row((smaller or samples)[0]), attributed, faster, failures):
        names = [step.__name__ for step in steps]
        try:
            with without_tf32():
                reason = _why_not_equal(module, optimized, steps, samples, attributed, smaller)
        except Exception as error:  # the model's own code may raise anything
            reason = f"{type(error).__name__}: {error}"
            failures.append(reason)
        if reason is None:
            log.info("passes run an optimized module", steps=names)
            return Optimized(optimized, tuple(names), conclusive=not failures)
        log.info("module cannot be optimized", steps=names, reason=reason)
    return Optimized(module, (), conclusive=not failures)


def _candidates(
    module: nn.Module, sample: Tensors, attributed: int, faster: Faster | None, failures: list[str]
) -> Iterator[tuple[tuple[Step, ...], nn.Module]]:
    """Yields copies in order of preference. They are not proven yet: a proof costs more than a measurement.

    What fails is added to `failures`.
    """
    for steps in SELECTIONS:
        try:
            changed = _apply(module, steps, sample, attributed)
            if changed is None and steps:
                continue
            laid_out = channels_last(changed or module, sample, attributed)
            is_faster = laid_out is not None and (faster is None or faster(laid_out, changed or module))
            if is_faster is None:
                failures.append("the layouts cannot be measured")
            if laid_out is not None and is_faster:
                yield (*steps, channels_last), laid_out
        except Exception as error:  # the model's own code, or a part that cannot be copied
            log.info("module cannot be optimized", steps=[step.__name__ for step in steps], reason=repr(error))
            failures.append(repr(error))
            continue
        if changed is not None:
            yield steps, changed


def _apply(module: nn.Module, steps: tuple[Step, ...], sample: Tensors, attributed: int) -> nn.Module | None:
    """The result of those steps that find something to change; None if none does."""
    changed = module
    for step in steps:
        changed = step(changed, sample, attributed) or changed
    return None if changed is module else changed


def _why_not_equal(
    module: nn.Module,
    optimized: nn.Module,
    steps: tuple[Step, ...],
    samples: list[Tensors],
    attributed: int,
    smaller: list[Tensors] | None,
) -> str | None:
    """None if the steps change nothing but rounding. Steps recompute weights, so the proof repeats them in float64."""
    row = as_float64(first_row((smaller or samples)[0]))

    def change(exact: nn.Module) -> nn.Module | None:
        return _apply(exact, steps, row, attributed)

    return why_not_equal(module, optimized, samples, attributed, change, smaller)
