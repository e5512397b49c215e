"""A copy of a model whose parameters can be randomized while the model itself serves."""

import copy
from dataclasses import replace

import torch
from torch import Tensor, nn

from schemas.errors import JobFailed
from schemas.sentences import Sentence
from workers.engine.view import ModelView
from workers.methods.explain_inputs import ExplainInputs
from workers.tracing.equivalence import compare
from workers.tracing.forward_hooks import removed_afterwards
from workers.tracing.samples import cloned, first_row, neighbours


def copy_view(view: ModelView) -> ModelView:
    """A view of a copy of the model. Modules that share a parameter share its copy.

    Call it while no pass runs (see `Engine.gate`), because hooks would be copied too.

    Raises:
        JobFailed: the model cannot be copied.
    """
    parts = (view.module, view.layer_module, view.entry, view.embedding, view.hookable)
    try:
        module, layer_module, entry, embedding, hookable = copy.deepcopy(parts)
    except Exception as error:  # a model's own code may raise anything
        raise JobFailed(
            Sentence("the model cannot be copied to be randomized: {error}", error=type(error).__name__)
        ) from error
    return replace(
        view,
        module=module,
        layer_module=layer_module,
        entry=entry,
        embedding=embedding,
        optimized=None,  # its weights are computed from those that will be randomized, as those of rule modules
        rule_modules={},
        hookable=hookable,
    )


def prove_copy(view: ModelView, copied: ModelView, subject: ExplainInputs) -> None:
    """Compares a new copy with the model on the first example and on random neighbours of it.

    Hooks and closures of a copy may still read or write what belongs to the original.

    Raises:
        JobFailed: the copy is not equal.
    """
    samples = list(neighbours(first_row((*subject.inputs, *subject.additional_forward_args))))
    if view.alone_reason is not None:
        samples = [sample for sample in samples if len(sample[0]) == 1]
    pairs = [(view.module, copied.module)]
    if view.hookable is not None and copied.hookable is not None:
        pairs.append((view.hookable, copied.hookable))
    for original, module in pairs:
        reason = compare(original, module, samples, view.input_count, gradients=False)
        if reason is not None:
            raise JobFailed(
                Sentence(
                    "the output of a copy of the model differs from the model's, so it cannot be randomized: {reason}",
                    reason=reason,
                )
            )


def layers_from_the_top(view: ModelView, subject: ExplainInputs) -> list[tuple[str, nn.Module]]:
    """Modules with parameters of their own, in the reverse order of a forward: from the output to the input.

    Modules that do not run their hooks, such as TorchScript ones, follow in the reverse order of their registration.
    """
    owners = [
        (name, module)
        for name, module in view.layer_module.named_modules()
        if any(True for _ in module.parameters(recurse=False))
    ]
    last_runs: dict[int, int] = {}

    def note(module: nn.Module, _args: object, _output: object) -> None:
        last_runs[id(module)] = len(last_runs)

    with removed_afterwards(module.register_forward_hook(note) for _, module in owners), torch.no_grad():
        view.module(*cloned(first_row((*subject.inputs, *subject.additional_forward_args))))
    registered = {id(module): place for place, (_, module) in enumerate(owners)}
    return sorted(owners, key=lambda owner: (last_runs.get(id(owner[1]), -1), registered[id(owner[1])]), reverse=True)


def randomize(module: nn.Module, original: nn.Module, generator: torch.Generator) -> None:
    """Gives the module's own parameters normal values with the mean and standard deviation of those in `original`.

    Values keep their scale and lose what was learned. Initializers would have to reset running statistics too, and in
    deep networks signals would then vanish or overflow, which leaves nothing to compare.
    """
    with torch.no_grad():
        for parameter, own in _parameters(module, original):
            parameter.copy_(_random_values(own, generator))


def restore(module: nn.Module, original: nn.Module) -> None:
    """Gives the module's own parameters their values in `original`."""
    with torch.no_grad():
        for parameter, own in _parameters(module, original):
            parameter.copy_(own)


def _parameters(module: nn.Module, original: nn.Module) -> list[tuple[nn.Parameter, nn.Parameter]]:
    return list(zip(module.parameters(recurse=False), original.parameters(recurse=False), strict=True))


def _random_values(own: Tensor, generator: torch.Generator) -> Tensor:
    values = own.detach().double().cpu()
    spread = values.std(correction=0) if values.numel() > 1 else values.abs().mean()
    return values.mean() + spread * torch.randn(values.shape, generator=generator, dtype=torch.float64)
