"""All methods as a union discriminated by `name`, derived from the classes of the modules of this package."""

from functools import reduce
from importlib import import_module
from inspect import isclass
from operator import or_
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from schemas.methods.base import BaseMethod

MODULES = ("gradient_methods", "perturbation_methods", "layer_methods", "neuron_methods")


def _declared(module: str) -> dict[str, type[BaseMethod]]:
    """The classes of a module that have a name on the wire, in the order of their definition."""
    values = vars(import_module(f"schemas.methods.{module}")).values()
    classes = (value for value in values if isclass(value) and issubclass(value, BaseMethod))
    return {cls.default("name"): cls for cls in classes if "name" in cls.model_fields}


METHODS: dict[str, type[BaseMethod]] = {name: cls for module in MODULES for name, cls in _declared(module).items()}
METHOD_NAMES: tuple[str, ...] = tuple(METHODS)

if TYPE_CHECKING:
    AnyMethod = BaseMethod
else:
    AnyMethod = reduce(or_, METHODS.values())
Method = Annotated[AnyMethod, Field(discriminator="name")]
