"""The steps that add proven copies of the module: the optimized one for passes, the hookable one for hook methods."""

from dataclasses import replace
from functools import partial

from torch import nn

from workers.engine.device.tf32 import without_tf32
from workers.models.stages import HookableModel, ProbedModel
from workers.tracing.index_columns import index_columns
from workers.tracing.samples import Tensors, stacked
from workers.transform.hookable.hookable_module import make_hookable, text_defects
from workers.transform.optimize import make_optimized
from workers.transform.optimize.layout_race import is_faster


def add_optimized_module(probed: ProbedModel) -> ProbedModel:
    """Adds a cheaper equal copy for shared passes, where one is found. A model that runs alone is left as it is."""
    if probed.execution.alone:
        return probed
    view, device = probed.view, probed.loaded.device
    faster = partial(is_faster, view, probed.sample_tensors, device.gate, device.threads)
    return replace(
        probed,
        view=replace(
            view,
            index_columns=_index_columns(probed),
            optimized=make_optimized(view.module, _proof_samples(probed.execution.draws), view.input_count, faster),
        ),
    )


@without_tf32()  # the proof of a copy compares outputs closely
def add_hookable_module(probed: ProbedModel) -> HookableModel:
    """Adds a copy that hook methods are right on, where the model itself is not and one can be made."""
    module, defects = _hookable_copy(probed)
    view = replace(probed.view, hookable=module)
    return HookableModel(probed.loaded, probed.embeddings, probed.execution, view, defects)


def _hookable_copy(probed: ProbedModel) -> tuple[nn.Module | None, dict[str, str]]:
    """The copy, and why families of hook methods are still wrong on it."""
    if probed.execution.alone:
        return None, {}
    if probed.loaded.config.input.kind == "text":
        return None, text_defects(probed.view)
    return make_hookable(probed.view, probed.loaded.sample)


def _index_columns(probed: ProbedModel) -> tuple[tuple[int, int], ...]:
    """The elements of the inputs that are indices. A text model takes embeddings, which hold none."""
    if probed.loaded.config.input.kind == "text":
        return ()
    rows = [row for rows in probed.execution.draws for row in rows]
    return tuple(index_columns(probed.view.module, rows, probed.view.input_count))


def _proof_samples(draws: list[list[Tensors]]) -> list[Tensors]:
    """The rows that a copy is proven equal on: single rows of every draw, and a batch of two."""
    first, *others = draws
    batch = stacked(first[1:3]) if len(first) > 2 else first[0]
    return [first[0], batch, first[-1], *(row for rows in others for row in rows[:2])]
