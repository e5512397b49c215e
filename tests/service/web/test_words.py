"""The words of the page: the same keys and parameters in both languages, and every key that the page uses."""

import json
import re
from importlib.resources import files
from pathlib import Path

import pytest

STATIC = Path(str(files("service.web"))) / "static"
ENTRY = re.compile(r'^\s*(?:"([^"]+)"|(\w+)):\s*\n?\s*("(?:[^"\\]|\\.)*")', re.MULTILINE)
USED = re.compile(r'\bt\(\s*"([a-z0-9_.]+)"')
NAMES = sorted({file.name.split(".")[0] for file in (STATIC / "words").iterdir()})


def words(name: str, lang: str) -> dict[str, str]:
    text = (STATIC / "words" / f"{name}.{lang}.js").read_text()
    return {quoted or plain: json.loads(value) for quoted, plain, value in ENTRY.findall(text)}


@pytest.mark.parametrize("name", NAMES)
def test_both_languages_say_the_same(name: str) -> None:
    english, spanish = words(name, "en"), words(name, "es")
    assert english
    assert set(english) == set(spanish)
    for key, text in english.items():
        assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", spanish[key])), key


@pytest.mark.parametrize("module", sorted(STATIC.rglob("*.js")), ids=lambda path: str(path.relative_to(STATIC)))
def test_every_key_that_a_module_uses_has_words(module: Path) -> None:
    folder = module.relative_to(STATIC).parts
    own = words(folder[1], "en") if folder[0] == "views" else {}
    known = {**words("base", "en"), **own}
    assert {key for key in USED.findall(module.read_text()) if not key.endswith(".")} <= set(known)
