"""All methods as a union discriminated by `name`, derived from the classes of the modules of this package."""

from functools import reduce
from inspect import isclass
from operator import or_
from types import ModuleType
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from schemas.methods import input_methods, layer_methods, neuron_methods
from schemas.methods.base import BaseMethod


def _declared(module: ModuleType) -> dict[str, type[BaseMethod]]:
    """The classes that a module defines and that have a name on the wire, in the order of their definition."""
    classes = (value for value in vars(module).values() if isclass(value) and issubclass(value, BaseMethod))
    return {cls.default("name"): cls for cls in classes if "name" in cls.model_fields}


METHODS: dict[str, type[BaseMethod]] = {
    **_declared(input_methods),
    **_declared(layer_methods),
    **_declared(neuron_methods),
}
METHOD_NAMES: tuple[str, ...] = tuple(METHODS)

if TYPE_CHECKING:
    AnyMethod = BaseMethod
else:
    AnyMethod = reduce(or_, METHODS.values())
Method = Annotated[AnyMethod, Field(discriminator="name")]
