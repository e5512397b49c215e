"""Methods of the shared lane: their rows share passes with those of other jobs."""

from workers.methods.adaptive import integrated_gradients as adaptive
from workers.methods.adaptive import sampling
from workers.methods.calls import AdaptiveCalls, SharedCalls, TracedCalls
from workers.methods.shared import gradient, perturbation, rules, traced_path

SHARED: SharedCalls = {**gradient.CALLS, **perturbation.CALLS}
RULED: SharedCalls = rules.CALLS  # on models with a module for `method.backward_rule`
TRACED: TracedCalls = traced_path.CALLS  # in place of those above for `method.path_frames`
ADAPTIVE: AdaptiveCalls = {**adaptive.CALLS, **sampling.CALLS}  # in place of those above for `method.adaptive`
