"""The page's words, read from its own tables: tests find elements by the names that people see."""

import functools
import json
import re

from tests.paths import ROOT

FOLDER = ROOT / "service" / "web" / "static" / "words"
ENTRY = re.compile(r'^\s*"?(?P<key>[\w.-]+)"?:\s*(?P<text>"(?:[^"\\]|\\.)*")', re.MULTILINE)


@functools.cache
def words(language: str) -> dict[str, str]:
    """Every text of the page in `language`, by key."""
    tables = sorted(FOLDER.glob(f"*.{language}.js"))
    assert tables, f"{FOLDER} has no words in {language}"
    return {entry["key"]: json.loads(entry["text"]) for table in tables for entry in ENTRY.finditer(table.read_text())}


def word(language: str, key: str, **parameters: object) -> str:
    """The text of `key` with its parameters filled in; raises `KeyError` if there is none."""
    text = words(language)[key]
    for name, value in parameters.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text


def pattern(language: str, key: str, **parameters: object) -> re.Pattern[str]:
    """As `word`; parameters that are not given may be anything."""
    parts = re.split(r"(\{\w+\})", word(language, key, **parameters))
    return re.compile("".join(".+" if part.startswith("{") else re.escape(part) for part in parts))
