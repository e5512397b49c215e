"""How many CPU threads the tests and proofs of a load use."""

import torch
from torch import nn
from torch.nn.modules.conv import _ConvNd

from workers.models.tuning import MANY_GROUPS


def proof_threads(module: nn.Module) -> int:
    """One for a model with depthwise convolutions; else as many as the calling thread has.

    Most proofs run in float64, for which PyTorch has no kernel of a convolution with groups. It computes each group by
    itself, and asks for a team of threads thousands of times in a pass. Waiting for the teams then takes up to a
    hundred times as long as the arithmetic. Passes that are timed have threads of their own.
    """
    many = any(isinstance(part, _ConvNd) and part.groups >= MANY_GROUPS for part in module.modules())
    return 1 if many else torch.get_num_threads()
