"""The modules of the first view as one file: each of them once, in order, and nothing lost. That it runs is shown in
`tests/browser/`."""

import re

import pytest

from service.web.compose import COMPOSED, NotComposable, composed, import_order, resolved
from service.web.files import COMPOSED_TREE, FIRST_MODULES, page_files, served_files

SOURCES = {path: file.body.decode() for path, file in page_files().items() if path.endswith(".js")}
ORDER = import_order(FIRST_MODULES, SOURCES)
STATIC_IMPORT = re.compile(r'^(?:import|export)\b[^;]*?from "([^"]+)"', re.MULTILINE)


def served(path: str) -> str:
    return served_files()[f"{COMPOSED_TREE}{path}"].body.decode()


def test_a_module_comes_after_all_that_it_imports() -> None:
    assert {"main.js", "views/try/Try.js", "lib/html.js", "vendor/htm-preact.js"} <= set(ORDER)
    assert ORDER[-1] == "main.js"
    for place, path in enumerate(ORDER):
        for name in STATIC_IMPORT.findall(SOURCES[path]):
            assert resolved(path, name) in ORDER[:place], (path, name)


def test_the_composed_file_holds_every_module_once() -> None:
    text = served(COMPOSED)
    own = [path for path in ORDER if not path.startswith("vendor/")]
    assert re.findall(r'^const m\d+ = share\("([^"]+)"\);$', text, re.MULTILINE) == own
    assert re.findall(r'^import .* from "([^"]+)";$', text, re.MULTILINE) == ["./vendor/htm-preact.js"]
    assert not re.search(r"^export (?!\{ m0, )", text, re.MULTILINE)
    assert "import.meta.url" not in re.sub(r"new URL\((?:path|\"[^\"]+\"), import\.meta\.url\)\.href", "", text)


def test_every_export_is_shared() -> None:
    text = served(COMPOSED)
    for path in ORDER:
        if path.startswith("vendor/") or "export {" in SOURCES[path]:
            continue
        block = re.split(r"^const m\d+ = share", text.split(f'share("{path}");\n', 1)[1], flags=re.MULTILINE)[0]
        shared = re.findall(r"^Object\.assign\(m\d+, \{ (.*) \}\);$", block, re.MULTILINE)[-1]
        for default, name in re.findall(
            r"^export (default )?(?:async )?(?:function|const|class) (\w+)", SOURCES[path], re.MULTILINE
        ):
            assert (f"default: {name}" if default else name) in shared.split(", "), (path, name)


def test_no_module_is_loaded_a_second_time_beside_the_composed_file() -> None:
    """Two instances of one would not share their state."""
    inside = set(ORDER) - {"vendor/htm-preact.js"}
    outside = [path for path in SOURCES if path not in ORDER and not path.startswith("vendor/")]
    assert len(outside) > 30
    for path in [COMPOSED, *outside]:
        found = {resolved(path, name) for name in STATIC_IMPORT.findall(served(path))}
        assert not found & inside, path
        assert found <= {COMPOSED, *outside, "vendor/uPlot.js", "vendor/htm-preact.js"}, path


def test_vendored_files_are_served_as_they_are() -> None:
    for path, file in page_files().items():
        if path.startswith("vendor/"):
            assert served_files()[f"{COMPOSED_TREE}{path}"] is file


@pytest.mark.parametrize(
    "text",
    [
        'import dog from "./b.js";',
        'import * as dog from "./b.js";',
        'import "./b.js";',
        'export * from "./b.js";',
        "export let count = 0;",
        "export { count };",
        "export default 5;",
        'import {\n  a,\n} from "lib";',
    ],
)
def test_a_form_that_is_not_known_is_refused(text: str) -> None:
    with pytest.raises(NotComposable, match=r"main\.js: "):
        composed(["main.js"], {"main.js": text + "\n", "b.js": ""})


def test_modules_that_import_each_other_are_refused() -> None:
    sources = {"a.js": 'import { b } from "./x/b.js";\n', "x/b.js": 'import { a } from "../a.js";\n'}
    with pytest.raises(NotComposable, match=r"a circle: a\.js -> x/b\.js -> a\.js"):
        import_order(["a.js"], sources)


def test_a_small_page() -> None:
    sources = {
        "lib/sum.js": "export const one = 1;\nexport default function sum(a, b) {\n  return a + b;\n}\n",
        "lib/all.js": 'export { one, two as zwei } from "./sum.js";\n',
        "main.js": 'import {\n  one,\n  zwei as two,\n} from "./lib/all.js";\nawait import("./later.js");\n',
        "views/later.js": 'import { one as eins } from "../lib/sum.js";\nimport { x } from "./x.js";\n',
    }
    made = composed(["main.js"], sources)
    assert set(made) == {COMPOSED, "views/later.js"}
    assert "Object.assign(m0, { one, default: sum });" in made[COMPOSED]
    assert "const { one, two: zwei } = m0;" in made[COMPOSED]
    assert "Object.assign(m1, { one, zwei });" in made[COMPOSED]
    assert "const { one, zwei: two } = m1;" in made[COMPOSED]
    assert 'await $import("./later.js");' in made[COMPOSED]
    assert made["views/later.js"] == (
        'import { m0 } from "../first.js";\nconst { one: eins } = m0;\nimport { x } from "./x.js";\n'
    )
