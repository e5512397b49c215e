"""Numbers in a precision that results can hold."""

from torch import Tensor, bfloat16


def widened(tensor: Tensor) -> Tensor:
    """bfloat16, which neither numpy nor the wire format knows, as float32, exactly; every other type as it is."""
    return tensor.float() if tensor.dtype == bfloat16 else tensor
