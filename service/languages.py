"""The languages of the words in pictures and in the catalogue of methods. Pure."""

from typing import Literal, get_args

from service.http.negotiation import choose_language

Language = Literal["en", "es"]
LANGUAGES: tuple[Language, ...] = get_args(Language)


def language_of(accept_language: str | None) -> Language:
    """The language that an `Accept-Language` header prefers; English when it names none of `LANGUAGES`."""
    return choose_language(accept_language, LANGUAGES)
