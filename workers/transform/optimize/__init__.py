"""The module that shared passes run: equal to the operator's, and cheaper.

No hook observes a shared pass, so the module may compute in other steps: batch norms are folded into the layers before
them, composite activations run as one operation, convolutions run with channels last. Methods that use hooks run the
module as it was built.
"""

from workers.transform.optimize.optimized_module import make_optimized, optimize, repeat_steps

__all__ = ["make_optimized", "optimize", "repeat_steps"]
