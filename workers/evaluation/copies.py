"""A copy of a model whose parameters can be drawn anew while the model itself serves on."""

import copy
from dataclasses import replace

import torch
from torch import Tensor, nn

from schemas.errors import JobFailed
from workers.engine.view import ModelView
from workers.methods.explain_inputs import ExplainInputs
from workers.tracing.equivalence import compare
from workers.tracing.samples import draws, first_row


def copied(view: ModelView) -> ModelView:
    """A view of the same model with parameters of its own; whatever shared a parameter shares its copy.

    Taken while no pass runs (see `Engine.gate`), so that no hook is copied along.

    Raises:
        JobFailed: the model cannot be copied.
    """
    parts = (view.module, view.layer_module, view.entry, view.embedding, view.hookable)
    try:
        module, layer_module, entry, embedding, hookable = copy.deepcopy(parts)
    except Exception as error:  # a model's own code may refuse
        raise JobFailed(f"the model cannot be copied to be randomised: {type(error).__name__}") from error
    return replace(
        view,
        module=module,
        layer_module=layer_module,
        entry=entry,
        embedding=embedding,
        optimized=None,  # its weights are worked out from those that are drawn anew
        hookable=hookable,
    )


def prove_copy(view: ModelView, copy_of_it: ModelView, subject: ExplainInputs) -> None:
    """Holds a fresh copy against the model, on the problem's first example and on random neighbours of it.

    Hooks and closures of a copy may still read, or write, what belongs to the original.

    Raises:
        JobFailed: the copy is another function.
    """
    samples = list(draws(first_row((*subject.inputs, *subject.additional_forward_args))))
    if view.alone_reason is not None:
        samples = [sample for sample in samples if len(sample[0]) == 1]
    pairs = [(view.module, copy_of_it.module)]
    if view.hookable is not None and copy_of_it.hookable is not None:
        pairs.append((view.hookable, copy_of_it.hookable))
    for original, copied_module in pairs:
        reason = compare(original, copied_module, samples, view.input_count, gradients=False)
        if reason is not None:
            raise JobFailed(
                f"a copy of the model answers otherwise than the model, so it cannot be randomised: {reason}"
            )


def layers_from_the_top(view: ModelView, subject: ExplainInputs) -> list[tuple[str, nn.Module]]:
    """The modules that hold parameters of their own, from the output to the input as a forward runs them.

    Modules that do not report their run (scripted ones) are taken in the order of their registration.
    """
    owners = [
        (name, module)
        for name, module in view.layer_module.named_modules()
        if any(True for _ in module.parameters(recurse=False))
    ]
    runs: dict[int, int] = {}

    def note(module: nn.Module, _args: object, _output: object) -> None:
        runs[id(module)] = len(runs)  # the last run counts

    handles = [module.register_forward_hook(note) for _, module in owners]
    try:
        with torch.no_grad():
            view.module(*(t[:1].clone() for t in (*subject.inputs, *subject.additional_forward_args)))
    finally:
        for handle in handles:
            handle.remove()
    registered = {id(module): place for place, (_, module) in enumerate(owners)}
    return sorted(owners, key=lambda owner: (runs.get(id(owner[1]), -1), registered[id(owner[1])]), reverse=True)


def draw_anew(module: nn.Module, original: nn.Module, generator: torch.Generator) -> None:
    """Gives the module's own parameters random values, of the mean and standard deviation that they have in `original`.

    The values of a layer keep their scale and lose all they had learned. Initialisers would also have to reset running
    statistics, and in deep nets signals then die out or grow beyond bounds, so that nothing is left to compare.
    """
    with torch.no_grad():
        for (_, parameter), (_, own) in zip(
            module.named_parameters(recurse=False), original.named_parameters(recurse=False), strict=True
        ):
            parameter.copy_(_drawn(own, generator))


def put_back(module: nn.Module, original: nn.Module) -> None:
    """Gives the module's own parameters the values that they have in `original`."""
    with torch.no_grad():
        for (_, parameter), (_, own) in zip(
            module.named_parameters(recurse=False), original.named_parameters(recurse=False), strict=True
        ):
            parameter.copy_(own)


def _drawn(own: Tensor, generator: torch.Generator) -> Tensor:
    values = own.detach().double().cpu()
    spread = values.std(correction=0) if values.numel() > 1 else values.abs().mean()
    return values.mean() + spread * torch.randn(values.shape, generator=generator, dtype=torch.float64)
