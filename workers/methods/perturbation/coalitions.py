"""The outputs of coalitions: rows with some features as in the input, and the others as in the baseline."""

from collections.abc import Callable
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from workers.engine.seams import Seams
from workers.methods.explain_inputs import ExplainInputs, Tensors, chunk_rows
from workers.methods.perturbation.features import Features
from workers.methods.perturbation.outputs import ExplainedOutputs
from workers.methods.tuning import COALITION_CELLS, KEY_BITS


class Coalitions:
    """One job's rows and their outputs.

    A coalition is computed once, however often it is asked for: orders of the features begin and end alike, and few
    features have few coalitions. With more than `KEY_BITS` features equal coalitions are rare, and each is computed.

    Attributes:
        features: of the inputs.
        examples: how many there are.
    """

    def __init__(self, seams: Seams, subject: ExplainInputs, features: Features, batch_rows: int) -> None:
        if subject.baselines is None:
            raise ValueError("absent features need a baseline")
        self.features = features
        self.examples = subject.examples
        self._inputs, self._baselines = subject.inputs, subject.baselines
        self._outputs = ExplainedOutputs(seams, subject)
        self._chunk = chunk_rows(batch_rows, 1)
        self._places: dict[int, int] = {}  # in `_measured`, by the bits of a coalition x examples + the example
        self._measured: list[Tensors] = []

    @cached_property
    def full(self) -> Tensor:
        """(examples,) the outputs of the inputs."""
        return self._outputs.of_examples(self._inputs)

    @cached_property
    def empty(self) -> Tensor:
        """(examples,) the outputs of the baselines."""
        return self._outputs.of_examples(self._baselines)

    def keep_ends(self) -> None:
        """Keeps both ends, whose outputs the job knows, so that `of` takes no rows for them."""
        if self.features.count <= KEY_BITS:
            for key, outputs in ((0, self.empty), (2**self.features.count - 1, self.full)):
                keys = range(key * self.examples, (key + 1) * self.examples)
                self._places |= {one: place for place, one in enumerate(keys, start=len(self._places))}
                self._measured.append((outputs,))

    def measure(self, rows: Tensors, examples: Tensor) -> Tensors:
        """What is kept of rows, (rows,) each on the CPU: their outputs."""
        return (self._outputs.of(rows, examples),)

    def of(self, members: Tensor, examples: Tensor) -> Tensors:
        """What `measure` gives for these coalitions, (rows,) each.

        Args:
            members: (rows, features.count) bool, on the CPU.
            examples: (rows,) int64, on the CPU.

        Raises:
            JobError: as `Seams.forward`.
        """
        if self.features.count > KEY_BITS:
            return self._compute(members, examples)
        bits = 2 ** torch.arange(self.features.count)
        keys = (members * bits).sum(dim=1) * self.examples + examples
        distinct, first, inverse = np.unique(keys.numpy(), return_index=True, return_inverse=True)
        known = distinct.tolist()
        new = [number for number, key in enumerate(known) if key not in self._places]
        if new:
            rows = torch.from_numpy(first[new])
            self._measured.append(self._compute(members[rows], examples[rows]))
            self._places |= {known[number]: place for place, number in enumerate(new, start=len(self._places))}
        at = torch.tensor([self._places[key] for key in known])[torch.from_numpy(inverse)]
        return tuple(torch.cat(parts)[at] for parts in zip(*self._measured, strict=True))

    def of_every_example(self, count: int, members: Callable[[Tensor], Tensor]) -> Tensor:
        """(count, examples): the outputs of `count` coalitions, for all examples.

        Args:
            count: at least 1.
            members: gives, for indices of coalitions, (n,) int64, their members, (n, features.count) bool. It is
                called for as many at a time as memory allows.
        """
        step = max(1, COALITION_CELLS // (self.features.count * self.examples), self._chunk // self.examples)
        found = []
        for part in torch.split(torch.arange(count), step):
            rows = members(part).repeat_interleave(self.examples, dim=0)
            outputs, *_ = self.of(rows, torch.arange(self.examples).repeat(len(part)))
            found.append(outputs.reshape(len(part), self.examples))
        return torch.cat(found)

    def _compute(self, members: Tensor, examples: Tensor) -> Tensors:
        """Measures the rows chunk by chunk, so that a job never holds more of them than fill its next passes."""
        parts = zip(*(torch.split(one, self._chunk) for one in (members, examples)), strict=True)
        measured = [
            self.measure(self.features.mixed(some, of, self._inputs, self._baselines), of) for some, of in parts
        ]
        return tuple(torch.cat(column) for column in zip(*measured, strict=True))
