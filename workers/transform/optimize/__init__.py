"""The model that shared passes run: equal to the operator's, and cheaper.

No hook ever looks into a shared pass, so its parts may be run in other pieces: batch norms folded into the layers
before them, composite activations as one operation, convolutions with their channels last. Methods that hang hooks on
the model keep the module as it was built.
"""

from workers.transform.optimize.module import make_optimized

__all__ = ["make_optimized"]
