"""The explained output of rows that are made from examples."""

import torch
from torch import Tensor

from workers.engine.seams import Seams
from workers.engine.targets import at_targets
from workers.methods.explain_inputs import ExplainInputs, Tensors
from workers.methods.explained_output import target_per_example


class ExplainedOutputs:
    """One job's outputs, each at the target of its row's example."""

    def __init__(self, seams: Seams, subject: ExplainInputs) -> None:
        self._seams = seams
        self._more = subject.additional_forward_args
        device = subject.inputs[0].device
        self._targets = (
            None if subject.targets is None else target_per_example(subject.targets, subject.examples, device)
        )

    def of(self, rows: Tensors, examples: Tensor) -> Tensor:
        """(rows,) on the CPU, in the type of the model's outputs.

        Args:
            rows: (rows, …) for each input of the model.
            examples: (rows,) int64, the example of each row.

        Raises:
            JobError: as `Seams.forward`.
        """
        at = examples.to(rows[0].device)
        outputs = self._seams.forward(*rows, *(more[at] for more in self._more))
        if self._targets is None:
            return outputs.reshape(len(outputs)).cpu()
        return at_targets(outputs, self._targets[at]).cpu()

    def of_examples(self, tensors: Tensors) -> Tensor:
        """(examples,): the outputs of one row for each example. Costs no pass where the job knows them already."""
        return self.of(tensors, torch.arange(len(tensors[0])))
