"""The features of a job's inputs, as index tensors."""

import torch
from torch import Tensor

from workers.methods.explain_inputs import Tensors


class Features:
    """Groups of elements. Elements with equal numbers are one feature, also where they lie in different inputs.

    Args:
        inputs: (examples, …) each.
        mask: (1 or examples, …) int64 each, of shapes that broadcast to the inputs', numbered from 0; None: each
            element is a feature.

    Attributes:
        count: the highest number + 1. Captum draws for all of these numbers.
        used: (count,) bool, on the CPU: numbers that an element of any example has.
    """

    def __init__(self, inputs: Tensors, mask: Tensors | None) -> None:
        given = _each_element(inputs) if mask is None else mask
        self._shapes = [tensor.shape for tensor in inputs]
        self._numbers = [_collapsed(one, tensor.dim()) for one, tensor in zip(given, inputs, strict=True)]
        filled = [numbers.flatten() for numbers in self._numbers if numbers.numel()]
        self.count = 1 + max(int(numbers.max()) for numbers in filled)
        occurrences = torch.stack([torch.bincount(numbers, minlength=self.count) for numbers in filled])
        self.used = (occurrences.sum(dim=0) > 0).cpu()

    def mixed(self, members: Tensor, examples: Tensor, present: Tensors, absent: Tensors) -> Tensors:
        """Rows with the member features of their example from `present`, and the others from `absent`.

        Args:
            members: (rows, count) bool.
            examples: (rows,) int64, the example of each row.
            present: (examples, …) for each input.
            absent: (examples, …) for each input.
        """
        device = present[0].device
        members, examples = members.to(device), examples.to(device)
        return tuple(
            mixture(self._kept(index, members, examples), of_examples(here, examples), of_examples(gone, examples))
            for index, (here, gone) in enumerate(zip(present, absent, strict=True))
        )

    def spread(self, values: Tensor, device: torch.device) -> Tensors:
        """The value of each element's feature.

        Args:
            values: (examples, count).
            device: of the result.

        Returns:
            (examples, …) for each input, of the type of `values`.
        """
        values = values.to(device)
        spread = []
        for numbers, shape in zip(self._numbers, self._shapes, strict=True):
            flat = numbers.reshape(len(numbers), -1).expand(len(values), -1)
            found = values.gather(1, flat).reshape(len(values), *numbers.shape[1:])
            spread.append(found.expand(shape).contiguous())
        return tuple(spread)

    def _kept(self, index: int, members: Tensor, examples: Tensor) -> Tensor:
        """(rows, …) bool for one input: whether the element's feature is a member. Broadcasts to the input."""
        numbers = self._numbers[index]
        flat = of_examples(numbers.reshape(len(numbers), -1), examples).expand(len(members), -1)
        return members.gather(1, flat).reshape(len(members), *numbers.shape[1:])


def mixture(kept: Tensor, present: Tensor, absent: Tensor) -> Tensor:
    """(rows, …): `present` where `kept`, `absent` elsewhere, in the type of `present`.

    A product and a sum, as in Captum: on a CPU, `torch.where` over broadcast tensors takes eight times as long.
    """
    weights = kept.to(present.dtype)
    return (present * weights).addcmul_(absent.to(present.dtype), 1 - weights)


def of_examples(tensor: Tensor, examples: Tensor) -> Tensor:
    """(rows, …): the tensor's row of each row's example. A tensor of one row stays as it is and broadcasts."""
    return tensor if len(tensor) == 1 else tensor[examples]


def _each_element(inputs: Tensors) -> Tensors:
    """(1, …) each: consecutive numbers over all inputs."""
    sizes = [tensor[:1].numel() for tensor in inputs]
    numbers = torch.split(torch.arange(sum(sizes), device=inputs[0].device), sizes)
    return tuple(part.reshape(1, *tensor.shape[1:]) for part, tensor in zip(numbers, inputs, strict=True))


def _collapsed(numbers: Tensor, rank: int) -> Tensor:
    """The same numbers, with extent 1 in dimensions along which they do not change, such as a picture's channels."""
    numbers = numbers.reshape(*[1] * (rank - numbers.dim()), *numbers.shape)
    for dim in range(rank):
        first = numbers.narrow(dim, 0, 1) if numbers.shape[dim] > 1 else numbers
        if first is not numbers and bool((numbers == first).all()):
            numbers = first
    return numbers.contiguous()
