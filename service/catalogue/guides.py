"""The catalogue as records, checked when it is first read."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, get_args

from schemas.methods import METHODS
from service.http.responses import MethodCatalogue, MethodGuide
from service.pictures.overlay_options import Language

LANGUAGES: tuple[Language, ...] = get_args(Language)


@cache
def catalogue(language: Language) -> MethodCatalogue:
    """All methods, in the order of `schemas.methods`."""
    facts, texts = _read("facts"), _read(language)
    guides = [
        MethodGuide(name=name, **facts[name], **texts["methods"][name], parameters=cls.model_json_schema())
        for name, cls in METHODS.items()
    ]
    return MethodCatalogue(language=language, columns=texts["columns"], methods=guides)


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((files("service.catalogue") / f"{name}.toml").read_text(encoding="utf-8"))
