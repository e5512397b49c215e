"""Composes modules of the page into one file, so that the first view needs one request in place of dozens. Pure.

The sources stay plain modules, which browsers load as they are. In the composed file each one is a block with its own
scope, in the order in which modules import each other:

    const m3 = share("lib/theme.js");
    { const $import = …, $url = …; const { html, useState: state } = m1; …; Object.assign(m3, { startTheme }); }

Modules outside of the file get what they import from it in the same way, so that there is one instance of each.
Vendored modules are imported as they are: their bytes are those of their digests.
"""

import re
from collections.abc import Iterable, Mapping

COMPOSED = "first.js"
VENDORED = "vendor/"
# The forms of imports and exports that the page's modules use. A module with another one is refused.
IMPORT = re.compile(r'^import \{([^}]*)\} from "(\.{1,2}/[^"]+)";$', re.MULTILINE)
RE_EXPORT = re.compile(r'^export \{([^}]*)\} from "(\.{1,2}/[^"]+)";$', re.MULTILINE)
EXPORT = re.compile(r"^export ((?:async )?function\*?|const|class) (\w+)", re.MULTILINE)
DEFAULT = re.compile(r"^export default ((?:async )?function|class) (\w+)", re.MULTILINE)
DEFAULT_VALUE = re.compile(r"^export default (?=[{\[])", re.MULTILINE)
DYNAMIC = re.compile(r"\bimport\(")
LEFT = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)

HEAD = """\
/** The modules of the first view in one file, composed of the plain modules beside it when the service starts. */
const shared = new Map();
function share(path) {
  const module = {};
  shared.set(new URL(path, import.meta.url).href, module);
  return module;
}
const importer = (from) => (name) => {
  const { href } = new URL(name, from);
  return shared.has(href) ? Promise.resolve(shared.get(href)) : import(href);
};
"""


class NotComposable(Exception):
    """A module imports or exports in a form that this file does not know, or modules import each other in a circle."""


def import_order(first: Iterable[str], sources: Mapping[str, str]) -> list[str]:
    """These modules and what they import, each after all that it imports itself.

    Raises:
        NotComposable: modules import each other in a circle.
    """
    ordered: list[str] = []
    open_: list[str] = []

    def visit(path: str) -> None:
        if path in ordered:
            return
        if path in open_:
            raise NotComposable(f"a circle: {' -> '.join([*open_[open_.index(path) :], path])}")
        open_.append(path)
        for _, name in [*IMPORT.findall(sources[path]), *RE_EXPORT.findall(sources[path])]:
            visit(resolved(path, name))
        open_.pop()
        ordered.append(path)

    for path in first:
        visit(path)
    return ordered


def composed(first: Iterable[str], sources: Mapping[str, str]) -> dict[str, str]:
    """The composed file, and the modules outside of it that import from it, by path.

    Args:
        first: modules to compose, with all that they import. The last one is run last.
        sources: the text of every module by path.

    Raises:
        NotComposable: as the class says.
    """
    order = import_order(first, sources)
    names = {path: f"m{number}" for number, path in enumerate(order)}
    vendored = [path for path in order if path.startswith(VENDORED)]
    parts = [f'import * as {names[path]} from "./{path}";\n' for path in vendored]
    parts.append(HEAD)
    parts += [_block(path, sources[path], names) for path in order if path not in vendored]
    parts.append(f"export {{ {', '.join(names.values())} }};\n")
    outside = {
        path: _importing(path, text, names)
        for path, text in sources.items()
        if path not in names and not path.startswith(VENDORED)
    }
    return {COMPOSED: "".join(parts), **outside}


def resolved(module: str, name: str) -> str:
    """The path of what a module imports by a relative name."""
    parts = module.split("/")[:-1]
    for part in name.split("/"):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def _block(path: str, text: str, names: Mapping[str, str]) -> str:
    """A module as a block of the composed file."""
    exported: list[str] = []

    def from_shared(match: re.Match[str]) -> str:
        return _taken(match[1], names[resolved(path, match[2])])

    def re_exported(match: re.Match[str]) -> str:
        exported.extend(inner for _, inner in _pairs(match[1]))
        return from_shared(match)

    def declared(match: re.Match[str]) -> str:
        exported.append(match[2])
        return f"{match[1]} {match[2]}"

    def default(match: re.Match[str]) -> str:
        exported.append(f"default: {match[2]}")
        return f"{match[1]} {match[2]}"

    def default_value(_match: re.Match[str]) -> str:
        exported.append("default: $default")
        return "const $default = "

    text = IMPORT.sub(from_shared, text)
    text = RE_EXPORT.sub(re_exported, text)
    text = EXPORT.sub(declared, text)
    text = DEFAULT.sub(default, text)
    text = DEFAULT_VALUE.sub(default_value, text)
    if left := LEFT.search(text):
        raise NotComposable(f"{path}: {left[0]}")
    own_url = f'const $url = new URL("{path}", import.meta.url).href, $import = importer($url);'
    body = DYNAMIC.sub("$import(", text).replace("import.meta.url", "$url")
    name = names[path]
    return (
        f'const {name} = share("{path}");\n{{\n{own_url}\n{body}\n'
        f"Object.assign({name}, {{ {', '.join(exported)} }});\n}}\n"
    )


def _importing(path: str, text: str, names: Mapping[str, str]) -> str:
    """A module outside of the composed file, with its imports of modules inside taken from there."""
    up = "../" * path.count("/") or "./"

    def from_composed(match: re.Match[str]) -> str:
        found = names.get(resolved(path, match[2]))
        if found is None:
            return match[0]
        return f'import {{ {found} }} from "{up}{COMPOSED}";\n{_taken(match[1], found)}'

    return IMPORT.sub(from_composed, text)


def _pairs(clause: str) -> list[tuple[str, str]]:
    """The names in the braces of an import: what the module calls each, and what the importer does."""
    found = []
    for one in filter(None, (part.strip() for part in clause.split(","))):
        outer, _, inner = one.partition(" as ")
        found.append((outer.strip(), (inner or outer).strip()))
    return found


def _taken(clause: str, module: str) -> str:
    """The statement that takes the names of an import's braces from a shared module."""
    taken = ", ".join(outer if outer == inner else f"{outer}: {inner}" for outer, inner in _pairs(clause))
    return f"const {{ {taken} }} = {module};"
