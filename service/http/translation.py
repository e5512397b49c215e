"""Sentences in another language than English, by a table of them: of problem documents, failed jobs and results. Pure.

`problems.es.toml` holds each English sentence of the gateway, with the names of its parameters in braces, beside its
Spanish; `workers.es.toml` those that workers store. What is not in the table stays English: what a model's author and
libraries say.
"""

import tomllib
from functools import cache
from importlib.resources import files

from schemas.errors import Problem
from schemas.jobs import JobFailure
from schemas.models import ModelCard
from schemas.results import ResultMeta
from schemas.sentences import Sentence, in_parts, words
from service.languages import Language

TABLES = ("problems", "workers")


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
    template = table(language).get(sentence.template)
    if template is None:
        return str(sentence)
    parameters = {
        name: said(value, language) if isinstance(value, Sentence) else value
        for name, value in sentence.parameters.items()
    }
    try:
        return template.format_map(parameters)
    except (LookupError, TypeError, ValueError):  # stored parameters that do not fit, as of another version
        return str(sentence)


def failure_in_language(failure: JobFailure | None, language: Language) -> JobFailure | None:
    """Why a job failed, for a client: without the parts of the detail."""
    if failure is None:
        return None
    texts = {"title": said(failure.title, language), "detail": said(failure.reason, language)}
    return failure.model_copy(update={**texts, "parts": None})


def card_in_language(card: ModelCard, language: Language) -> ModelCard:
    """The card for a client, with the reasons against methods in this language."""
    methods = [
        one.model_copy(update={"reason": one.objection and said(one.objection, language), "parts": None})
        for one in card.methods
    ]
    return card.model_copy(update={"methods": methods})


def warnings_in_language(meta: ResultMeta, language: Language) -> list[str]:
    """The warnings of a result for a client."""
    parts = meta.warning_parts if len(meta.warning_parts) == len(meta.warnings) else [None] * len(meta.warnings)
    return [said(in_parts(text, one), language) for text, one in zip(meta.warnings, parts, strict=True)]


@cache
def table(language: Language) -> dict[str, str]:
    """The sentences of this language by their English."""
    if language == "en":
        return {}
    texts = [(files("service.http") / f"{name}.{language}.toml").read_text(encoding="utf-8") for name in TABLES]
    return {entry["en"]: entry[language] for text in texts for entry in tomllib.loads(text)["text"]}
