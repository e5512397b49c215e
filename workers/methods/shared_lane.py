"""Methods of the shared lane: their rows share passes with those of other jobs."""

from workers.methods import adaptive, gradient, perturbation, sampling
from workers.methods.calls import AdaptiveCalls, SharedCalls

SHARED: SharedCalls = {**gradient.CALLS, **perturbation.CALLS}
ADAPTIVE: AdaptiveCalls = {**adaptive.CALLS, **sampling.CALLS}  # in place of those above for `method.adaptive`
