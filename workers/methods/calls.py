"""Types of the tables that map the class of a method to its Captum call."""

from collections.abc import Callable, Mapping
from typing import Any

from schemas.methods import BaseMethod
from workers.engine.seams import Seams
from workers.engine.solo.solo_call import SoloCall
from workers.engine.view import ModelView
from workers.methods.adaptive.result import AdaptiveResult
from workers.methods.explain_inputs import ExplainInputs, Tensors
from workers.methods.path_sums import PathSums

# Each takes the method's parameters first, and last the rows that one pass of the engine holds.
SharedCall = Callable[[Any, Seams, ExplainInputs, int], Tensors]
TracedCall = Callable[[Any, Seams, ExplainInputs, int], tuple[Tensors, PathSums]]
AdaptiveCall = Callable[[Any, Seams, ExplainInputs, int], AdaptiveResult]
HookedCall = Callable[[Any, ModelView, SoloCall, int], Tensors]

SharedCalls = Mapping[type[BaseMethod], SharedCall]
TracedCalls = Mapping[type[BaseMethod], TracedCall]
AdaptiveCalls = Mapping[type[BaseMethod], AdaptiveCall]
HookedCalls = Mapping[type[BaseMethod], HookedCall]
