"""A model's outputs for inputs it has seen of late, so that several questions about one input share its forward."""

import threading
from collections import OrderedDict

from torch import Tensor

MOST_BYTES = 16 * 1024 * 1024


class OutputCache:
    """Outputs by the digest of the input, the least recently asked for forgotten first. For any thread.

    Two jobs that come at the same time both compute: neither is made to wait for the other.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._held = 0
        self._outputs: OrderedDict[bytes, Tensor] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, digest: bytes | None) -> Tensor | None:
        """(examples, …), or None for what is not known, or has no digest."""
        if digest is None:
            return None
        with self._lock:
            outputs = self._outputs.get(digest)
            if outputs is not None:
                self._outputs.move_to_end(digest)
            return outputs

    def put(self, digest: bytes | None, outputs: Tensor) -> None:
        """Keeps a copy; outputs larger than all that may be held are not kept."""
        size = outputs.numel() * outputs.element_size()
        if digest is None or size > self._most:
            return
        with self._lock:
            if digest in self._outputs:
                return
            self._outputs[digest] = outputs.detach().clone()  # a part of a pass would hold on to the whole of it
            self._held += size
            while self._held > self._most:
                _, forgotten = self._outputs.popitem(last=False)
                self._held -= forgotten.numel() * forgotten.element_size()
