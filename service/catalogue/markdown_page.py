"""The catalogue of methods as Markdown with GitHub's tables. Pure."""

import re

from service.catalogue.comparison import COLUMNS, compared_families, guide_texts
from service.catalogue.guides import MethodCatalogue, MethodGuide
from service.catalogue.html_page import PARAMETER_COLUMNS
from service.catalogue.parameter_rows import parameter_rows
from service.catalogue.texts import read_texts


def catalogue_markdown(catalogue: MethodCatalogue) -> str:
    """All methods as a table for each family."""
    words = read_texts(catalogue.language)["page"]
    headings = [catalogue.columns[field] for field in ("title", *COLUMNS)]
    parts = [f"# {_prose(words['heading'])}", _prose(words["intro"]), _prose(words["cost_note"])]
    for family in compared_families(catalogue, words):
        rows = [
            [
                _prose(row.title) if row.name is None else f"{_prose(row.title)} {_code(row.name)}",
                *map(_prose, row.cells),
            ]
            for row in family.rows
        ]
        parts += [f"## {_prose(family.title)}", _table(headings, rows)]
    return "\n\n".join(parts) + "\n"


def guide_markdown(guide: MethodGuide, catalogue: MethodCatalogue) -> str:
    """One method: its texts, its parameters and its source."""
    words = read_texts(catalogue.language)["page"]
    parts = [
        f"# {_prose(guide.title)}",
        f"{_code(guide.name)} · {_prose(words['family'])}: {_prose(guide.family_title)}",
        *(f"**{_prose(heading)}.** {_prose(text)}" for heading, text in guide_texts(guide, catalogue, words)),
    ]
    rows = [
        [_code(row.name), _code(row.values), _code(row.default), _prose(row.description)]
        for row in parameter_rows(guide.parameters, words)
    ]
    if rows:
        parts += [f"## {_prose(words['parameters'])}", _table([words[name] for name in PARAMETER_COLUMNS], rows)]
    parts.append(f"{_prose(catalogue.columns['reference'])}: [{_prose(guide.reference)}](<{guide.reference_url}>)")
    return "\n\n".join(parts) + "\n"


def _table(headings: list[str], rows: list[list[str]]) -> str:
    lines = [list(map(_prose, headings)), ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _code(text: str) -> str:
    return f"`{text.replace('|', chr(92) + '|')}`"


def _prose(text: str) -> str:
    """Plain text, whose own marks are escaped; what stands between backticks is code."""
    pieces = re.split(r"`([^`]*)`", text)
    return "".join(_code(piece) if index % 2 else _escaped(piece) for index, piece in enumerate(pieces))


def _escaped(text: str) -> str:
    return re.sub(r"([\\*_\[\]<>|`#~])", r"\\\1", text)
