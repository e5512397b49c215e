"""The catalogue of methods as HTML pages. They need a stylesheet of this service and nothing else. Pure.

URLs are relative, so that the pages work behind any prefix.
"""

import re
from functools import cache
from html import escape
from importlib.resources import files

from service.catalogue.comparison import COLUMNS, ComparisonRow, compared_families, guide_texts
from service.catalogue.guides import MethodCatalogue, MethodGuide
from service.catalogue.parameter_rows import ParameterRow, parameter_rows
from service.catalogue.texts import read_texts
from service.languages import LANGUAGES, Language

STYLESHEET = "methods.css"
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
PARAMETER_COLUMNS = ("parameter", "values", "default", "description")


@cache
def stylesheet() -> bytes:
    """The stylesheet of both pages."""
    return files("service.catalogue").joinpath(STYLESHEET).read_bytes()


def catalogue_page(catalogue: MethodCatalogue, query: str = "") -> str:
    """All methods as a table for each family, which a narrow screen shows as cards.

    Args:
        query: what links to other pages carry on, such as `?lang=es`.
    """
    language, words = catalogue.language, read_texts(catalogue.language)["page"]
    families = compared_families(catalogue, words)
    contents = "".join(f'<li><a href="#{family.name}">{escape(family.title)}</a></li>' for family in families)
    headings = [catalogue.columns[field] for field in ("title", *COLUMNS)]
    sections = "".join(
        f'<section id="{family.name}" aria-labelledby="{family.name}-title">'
        f'<h2 id="{family.name}-title">{escape(family.title)}</h2>'
        f"{_table('comparison', headings, [_comparison_row(row, headings, query) for row in family.rows])}</section>\n"
        for family in families
    )
    body = (
        f"<header>{_other_language('methods', language)}<h1>{escape(words['heading'])}</h1>"
        f'<p class="lead">{escape(words["intro"])}</p>'
        f'<nav aria-label="{escape(words["families"])}"><ul>{contents}</ul></nav></header>\n<main>\n{sections}</main>\n'
        f"<footer><p>{escape(words['cost_note'])}</p><p>{escape(words['as_data'])}</p></footer>"
    )
    return _document(language, words["heading"], STYLESHEET, body)


def guide_page(guide: MethodGuide, catalogue: MethodCatalogue, query: str = "") -> str:
    """One method: its texts, its parameters and its source."""
    language, words = catalogue.language, read_texts(catalogue.language)["page"]
    texts = "".join(
        f"<div><dt>{escape(heading)}</dt><dd>{_prose(text)}</dd></div>"
        for heading, text in guide_texts(guide, catalogue, words)
    )
    headings = [words[name] for name in PARAMETER_COLUMNS]
    rows = [_parameter_row(row, headings) for row in parameter_rows(guide.parameters, words)]
    parameters = f"<h2>{escape(words['parameters'])}</h2>{_table('parameters', headings, rows)}" if rows else ""
    back = f'<a href="../methods{escape(query)}">{escape(words["back"])}</a>'
    body = (
        f"<header>{_other_language(guide.name, language)}{back}"
        f"<h1>{escape(guide.title)}</h1><p><code>{escape(guide.name)}</code> · {escape(words['family'])}: "
        f"{escape(guide.family_title)}</p></header>\n<main>\n<dl>{texts}</dl>\n{parameters}</main>\n"
        f"<footer><p>{escape(catalogue.columns['reference'])}: "
        f'<a href="{escape(guide.reference_url)}" rel="noreferrer">{escape(guide.reference)}</a></p>'
        f"<p>{escape(words['cost_note'])}</p></footer>"
    )
    return _document(language, f"{guide.title} · {words['heading']}", f"../{STYLESHEET}", body)


def _document(language: Language, title: str, style: str, body: str) -> str:
    return (
        f'<!doctype html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f'<title>{escape(title)}</title>\n<link rel="icon" href="data:,">\n<link rel="stylesheet" href="{style}">\n'
        f"</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _other_language(page: str, language: Language) -> str:
    """Links to this page in the other languages."""
    return "".join(
        f'<a class="language" hreflang="{other}" lang="{other}" href="{page}?lang={other}">'
        f"{escape(read_texts(other)['page']['language'])}</a>"
        for other in LANGUAGES
        if other != language
    )


def _table(kind: str, headings: list[str], rows: list[str]) -> str:
    """A table. Its roles are given, because browsers drop those of elements that a narrow screen shows as blocks."""
    head = "".join(f'<th role="columnheader" scope="col">{escape(heading)}</th>' for heading in headings)
    body = "\n".join(rows)
    return (
        f'<table role="table" class="{kind}"><thead role="rowgroup"><tr role="row">{head}</tr></thead>\n'
        f'<tbody role="rowgroup">\n{body}\n</tbody></table>'
    )


def _comparison_row(row: ComparisonRow, headings: list[str], query: str) -> str:
    title = escape(row.title)
    if row.name is not None:
        title = f'<a href="methods/{row.name}{escape(query)}">{title}</a><br><code>{row.name}</code>'
    kind = "generic" if row.name is None else "method"
    cells = _cells(headings[1:], [_prose(text) for text in row.cells])
    return f'<tr role="row" class="{kind}"><th role="rowheader" scope="row">{title}</th>{cells}</tr>'


def _parameter_row(row: ParameterRow, headings: list[str]) -> str:
    cells = [f"<code>{escape(text)}</code>" for text in (row.values, row.default)] + [_prose(row.description)]
    name = f'<th role="rowheader" scope="row"><code>{escape(row.name)}</code></th>'
    return f'<tr role="row">{name}{_cells(headings[1:], cells)}</tr>'


def _cells(headings: list[str], cells: list[str]) -> str:
    """Cells of HTML. Each carries its heading, which a narrow screen shows above it."""
    pairs = zip(headings, cells, strict=True)
    return "".join(f'<td role="cell" data-heading="{escape(heading)}">{html}</td>' for heading, html in pairs)


def _prose(text: str) -> str:
    """Plain text as HTML; what stands between backticks as code."""
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(text))
