"""Problem documents in another language than English, by a table of sentences. Pure.

`problems.es.toml` holds each English sentence, with the names of its parameters in braces, beside its Spanish. What is
not in the table stays English: reasons that workers write, and what libraries say of a body that they cannot parse.
"""

import tomllib
from functools import cache
from importlib.resources import files

from schemas.errors import Problem
from schemas.sentences import Sentence, words
from service.languages import Language


def in_language(problem: Problem, language: Language) -> Problem:
    """The problem with its title and all its messages in this language. Its type is the same in each."""
    if language == "en":
        return problem
    errors = problem.errors and [one.model_copy(update={"msg": said(one.msg, language)}) for one in problem.errors]
    texts = {"title": said(problem.title, language), "detail": said(problem.detail, language)}
    return problem.model_copy(update={**texts, "errors": errors})


def said(text: str, language: Language) -> str:
    """The sentence in this language. Parameters are kept, but for those that are sentences themselves."""
    sentence = words(text)
    template = table(language).get(sentence.template, sentence.template)
    return template.format_map(
        {
            name: said(value, language) if isinstance(value, Sentence) else value
            for name, value in sentence.parameters.items()
        }
    )


@cache
def table(language: Language) -> dict[str, str]:
    """The sentences of this language by their English."""
    if language == "en":
        return {}
    text = (files("service.http") / f"problems.{language}.toml").read_text(encoding="utf-8")
    return {entry["en"]: entry[language] for entry in tomllib.loads(text)["text"]}
