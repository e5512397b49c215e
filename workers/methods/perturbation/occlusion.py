"""Occlusion: the output of the input, less the outputs with a window each of the input replaced by the baseline.

Captum pads a mask for each window and adds up a map of the input's size for each. Here a window is one position along
each dimension, and its cells are a product of vectors.

Source: Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks" (2014).
"""

from math import prod
from typing import Any

import torch
from captum.attr._utils.common import _format_and_verify_sliding_window_shapes, _format_and_verify_strides
from torch import Tensor

from schemas import methods as spec
from workers.engine.seams import Seams
from workers.methods.explain_inputs import ExplainInputs, Tensors, chunk_rows
from workers.methods.perturbation.features import mixture, of_examples
from workers.methods.perturbation.outputs import ExplainedOutputs

Shape = tuple[int, ...]


class Windows:
    """All positions of a window over one input, without the examples' dimension.

    Args:
        shape: of the input.
        window: its extent along each dimension.
        strides: its step along each dimension. A last window that does not fit is cut off at the end.
        device: of the input.

    Raises:
        AssertionError: the window is larger than the input, or elements between windows would be left out. With
            Captum's messages, which clients see.
    """

    def __init__(self, shape: Shape, window: Shape, strides: Shape, device: torch.device) -> None:
        for extent, size, stride in zip(shape, window, strides, strict=True):
            if size > extent:
                raise AssertionError(f"Sliding window dimensions {window} cannot exceed input dimensions {shape}.")
            if size < extent and stride > size:
                raise AssertionError(f"Stride dimension {strides} cannot be larger than window dimension {window}.")
        dimensions = zip(shape, window, strides, strict=True)
        # (positions, extent) bool for each dimension: the cells that a window at each position covers.
        self._cells = [_cells(*one, device) for one in dimensions]
        self._counts = [len(cells) for cells in self._cells]

    def __len__(self) -> int:
        return prod(self._counts)

    def covered(self, numbers: Tensor) -> Tensor:
        """(n, …) bool: the cells of windows, by their numbers (n,). Broadcasts to the input's shape."""
        rank = len(self._cells)
        covered = torch.ones(len(numbers), *[1] * rank, dtype=torch.bool, device=numbers.device)
        for dim in range(rank, 0, -1):  # the last dimension's position changes fastest
            cells, count = self._cells[dim - 1], self._counts[dim - 1]
            shape = [len(numbers), *[1] * rank]
            shape[dim] = cells.shape[1]
            if count > 1:  # else covered whole, as the channels of a picture mostly are
                covered = covered & cells[numbers % count].reshape(shape)
            numbers = numbers // count
        return covered

    def means(self, values: Tensor) -> Tensor:
        """For each cell the mean value of the windows over it, in float32.

        Args:
            values: (windows, examples).

        Returns:
            (examples, …)
        """
        sums = values.double().reshape(*self._counts, -1)
        counts = torch.ones((), dtype=torch.float64, device=values.device)
        for cells in self._cells:  # each takes the first dimension away and appends the input's own
            members = cells.double()
            sums = torch.tensordot(sums, members, dims=([0], [0]))
            counts = counts.unsqueeze(-1) * members.sum(dim=0)
        return sums.float() / counts.float()


def occlusion(method: spec.Occlusion, seams: Seams, subject: ExplainInputs, batch_rows: int) -> Tensors:
    """Mean fall of the output over the windows that cover an element.

    Covers whole the dimensions that a window does not name, such as a text's embedding.
    """
    if subject.baselines is None:
        raise ValueError("what is covered needs a baseline")
    outputs = ExplainedOutputs(seams, subject)
    full = outputs.of_examples(subject.inputs)
    chunk = max(1, chunk_rows(batch_rows, 1) // subject.examples)
    found = []
    for index, (windows, tensor) in enumerate(zip(_windows(method, subject.inputs), subject.inputs, strict=True)):
        if not tensor.numel():
            found.append(torch.zeros_like(tensor, dtype=torch.float))
            continue
        parts = torch.split(torch.arange(len(windows)), chunk)
        covered = torch.cat([outputs.of(*_rows(subject, index, windows, part)) for part in parts])
        lost = full - covered.reshape(len(windows), subject.examples)
        found.append(windows.means(lost.to(tensor.device)))
    return tuple(found)


def windows_over(given: list[Any], whole: tuple[Shape, ...]) -> tuple[Shape, ...]:
    """One window per input, from one for all or a list of them, completed by `whole`."""
    each = given if given and isinstance(given[0], list) else [given] * len(whole)
    return tuple((*window, *full[len(window) :]) for window, full in zip(each, whole, strict=True))


def _windows(method: spec.Occlusion, inputs: Tensors) -> list[Windows]:
    """The windows over each input."""
    shapes = tuple(tuple(tensor.shape[1:]) for tensor in inputs)
    given = windows_over(method.sliding_window_shapes or [], shapes)
    windows = _format_and_verify_sliding_window_shapes(given, inputs)
    strides = _format_and_verify_strides(
        None if method.strides is None else windows_over(method.strides, windows), inputs
    )
    steps = [
        (stride,) * len(shape) if isinstance(stride, int) else stride
        for stride, shape in zip(strides, shapes, strict=True)
    ]
    return [Windows(*one, inputs[0].device) for one in zip(shapes, windows, steps, strict=True)]


def _rows(subject: ExplainInputs, index: int, windows: Windows, numbers: Tensor) -> tuple[Tensors, Tensor]:
    """The rows of some windows over one input, each for every example, and the example of each row."""
    baselines = subject.baselines or ()
    device = subject.inputs[index].device
    examples = torch.arange(subject.examples).repeat(len(numbers))
    at = examples.to(device)
    covered = windows.covered(numbers.to(device)).repeat_interleave(subject.examples, dim=0)
    rows = tuple(
        mixture(~covered, of_examples(tensor, at), of_examples(baselines[place], at)) if place == index else tensor[at]
        for place, tensor in enumerate(subject.inputs)
    )
    return rows, examples


def _cells(extent: int, window: int, stride: int, device: torch.device) -> Tensor:
    """(positions, extent) bool."""
    positions = -(-(extent - window) // stride) + 1
    starts = (torch.arange(positions, device=device) * stride).unsqueeze(1)
    cells = torch.arange(extent, device=device)
    return (starts <= cells) & (cells < starts + window)
