"""The files of the page, read once and held in memory, also compressed."""

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from service.http.compression import MIN_GZIP_BYTES, gzipped

MEDIA = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".jpg": "image/jpeg",
    ".txt": "text/plain; charset=utf-8",
}
PICTURES = frozenset({".jpg"})  # compressed already
INDEX = "index.html"
BASE = b"{{base}}"  # in the index: where its files are
PRELOADED = b"{{modules}}"  # in the index: the modules of the first view, so that they come side by side
FIRST_MODULES = ("main.js", "views/try/Try.js")  # these, and what they import
IMPORT = re.compile(rb"""^(?:import|export)\b[^;'"]*?["'](\.{1,2}/[^'"]+)["'];?$""", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class PageFile:
    """One file as it is sent. `compressed` is None where gzip makes it no smaller."""

    body: bytes
    compressed: bytes | None
    media: str
    tag: str  # of its content, without quotation marks

    @classmethod
    def of(cls, body: bytes, suffix: str) -> "PageFile":
        """The file with these bytes; its suffix gives the media type."""
        small = suffix in PICTURES or len(body) < MIN_GZIP_BYTES
        return cls(body, None if small else gzipped(body), MEDIA[suffix], hashlib.sha256(body).hexdigest()[:32])


@cache
def page_files() -> dict[str, PageFile]:
    """All files but the index, by their path below `static/`."""
    root = files("service.web").joinpath("static")
    return {path: PageFile.of(body, suffix_of(path)) for path, body in _read(root) if path != INDEX}


@cache
def page_version() -> str:
    """A digest of all files. It is part of their URLs, so that browsers may keep them for good."""
    digest = hashlib.sha256()
    for path, file in sorted(page_files().items()):
        digest.update(f"{path} {file.tag}\n".encode())
    return digest.hexdigest()[:16]


@cache
def index() -> PageFile:
    """The document at `/`. Its URLs are relative, so that the page works behind any prefix."""
    base = f"static/{page_version()}/".encode()
    links = b"\n".join(b'  <link rel="modulepreload" href="%s%s">' % (base, path.encode()) for path in first_modules())
    source = files("service.web").joinpath("static").joinpath(INDEX).read_bytes()
    return PageFile.of(source.replace(PRELOADED, links).replace(BASE, base), ".html")


@cache
def first_modules() -> tuple[str, ...]:
    """The modules of the first view in the order in which they import each other."""
    found: dict[str, None] = {}
    for first in FIRST_MODULES:
        waiting = [first]
        while waiting:
            path = waiting.pop(0)
            if path not in found:
                found[path] = None
                waiting += [_resolved(path, name.decode()) for name in IMPORT.findall(page_files()[path].body)]
    return tuple(found)


def suffix_of(path: str) -> str:
    """`.js` of `lib/api.js`; `.txt` of a file without one, such as a licence."""
    name = path.rpartition("/")[2]
    return f".{name.rpartition('.')[2]}" if "." in name else ".txt"


def _resolved(module: str, name: str) -> str:
    """The path of what a module imports by a relative name."""
    parts = module.split("/")[:-1]
    for part in name.split("/"):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def _read(folder: Traversable, prefix: str = "") -> list[tuple[str, bytes]]:
    """The paths and bytes of all files below a folder."""
    found = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found += _read(entry, f"{prefix}{entry.name}/")
        elif suffix_of(entry.name) in MEDIA:
            found.append((f"{prefix}{entry.name}", entry.read_bytes()))
    return found
