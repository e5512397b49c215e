"""The languages of the words in pictures and in the catalogue of methods. Pure."""

from typing import Literal, get_args

Language = Literal["en", "es"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
