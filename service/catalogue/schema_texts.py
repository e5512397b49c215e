"""The descriptions in the JSON schemas of the methods' parameters, in another language.

They stand in English at the fields in `schemas/methods/`; `parameters.es.toml` holds each sentence beside its Spanish.
"""

from functools import cache
from typing import Any

from service.catalogue.texts import read_texts
from service.languages import Language


def schema_in(language: Language, schema: Any) -> Any:
    """A copy of the schema whose descriptions are in this language.

    Raises:
        KeyError: a description has no translation.
    """
    return schema if language == "en" else _translated(schema, _table(language))


def _translated(value: Any, table: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_translated(item, table) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: table[item] if key == "description" and isinstance(item, str) else _translated(item, table)
        for key, item in value.items()
    }


@cache
def _table(language: Language) -> dict[str, str]:
    return {text["en"]: text[language] for text in read_texts(f"parameters.{language}")["text"]}
