"""Recent outputs of a model, so that several explanations of one input share its forward."""

import threading
from collections import OrderedDict

from torch import Tensor

from workers.engine.tuning import OUTPUT_CACHE_BYTES


class OutputCache:
    """Outputs by the digest of their input; the least recently used are dropped first. Safe for any thread.

    Two jobs that miss at the same time both compute the outputs: neither waits for the other.

    Args:
        most_bytes: of all outputs together.

    Attributes:
        hits: times that outputs were found.
        misses: times that an input with a digest had none.
    """

    def __init__(self, most_bytes: int = OUTPUT_CACHE_BYTES) -> None:
        self._most_bytes = most_bytes
        self._held_bytes = 0
        self._outputs: OrderedDict[bytes, Tensor] = OrderedDict()
        self._lock = threading.Lock()
        self.hits = 0
        self.misses = 0

    def get(self, digest: bytes | None) -> Tensor | None:
        """The outputs, (examples, …); None if they are not in the cache, or the input has no digest."""
        if digest is None:
            return None
        with self._lock:
            outputs = self._outputs.get(digest)
            if outputs is None:
                self.misses += 1
            else:
                self.hits += 1
                self._outputs.move_to_end(digest)
            return outputs

    def put(self, digest: bytes | None, outputs: Tensor) -> None:
        """Keeps a copy of the outputs, unless they are larger than the cache or the input has no digest."""
        size = outputs.numel() * outputs.element_size()
        if digest is None or size > self._most_bytes:
            return
        with self._lock:
            if digest in self._outputs:
                return
            self._outputs[digest] = outputs.clone()  # a view would keep the outputs of a whole pass in memory
            self._held_bytes += size
            while self._held_bytes > self._most_bytes:
                _, dropped = self._outputs.popitem(last=False)
                self._held_bytes -= dropped.numel() * dropped.element_size()
