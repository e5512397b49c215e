"""One version of a model, by name."""

from typing import Any, NamedTuple, Self

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema


class ModelKey(NamedTuple):
    """A model's name and version. Its text is `name@version`, also in JSON, as a value and as a key."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The inverse of `str`.

        Raises:
            ValueError: the text is not `name@version`.
        """
        name, _, version = text.rpartition("@")
        if not name or not version:
            raise ValueError(f"{text!r} is not of the form name@version")
        return cls(name, version)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.union_schema(
            [
                core_schema.is_instance_schema(cls),
                core_schema.no_info_after_validator_function(cls.parse, core_schema.str_schema()),
            ],
            serialization=core_schema.to_string_ser_schema(when_used="json"),
        )
