"""The files of the page, read once and held in memory, also compressed."""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from service.http.compression import MIN_GZIP_BYTES, gzipped
from service.languages import LANGUAGES
from service.web.compose import composed

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
COMPOSED_TREE = "composed/"  # below it the page as browsers load it: the modules of the first view are one file
# These, and what they import. The words are in both languages: the browser says which one it has been told to speak.
FIRST_MODULES = (
    *(f"words/{name}.{language}.js" for name in ("base", "try") for language in LANGUAGES),
    "views/try/Try.js",
    "main.js",
)


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
def served_files() -> dict[str, PageFile]:
    """All files that are sent, by their path: the page's own, and below `composed/` the same for browsers."""
    plain = page_files()
    modules = {path: file.body.decode() for path, file in plain.items() if path.endswith(".js")}
    made = {path: PageFile.of(text.encode(), ".js") for path, text in composed(FIRST_MODULES, modules).items()}
    return plain | {f"{COMPOSED_TREE}{path}": file for path, file in (plain | made).items()}


@cache
def page_version() -> str:
    """A digest of all files. It is part of their URLs, so that browsers may keep them for good."""
    digest = hashlib.sha256()
    for path, file in sorted(served_files().items()):
        digest.update(f"{path} {file.tag}\n".encode())
    return digest.hexdigest()[:16]


@cache
def index() -> PageFile:
    """The document at `/`. Its URLs are relative, so that the page works behind any prefix."""
    base = f"static/{page_version()}/{COMPOSED_TREE}".encode()
    source = files("service.web").joinpath("static").joinpath(INDEX).read_bytes()
    return PageFile.of(source.replace(BASE, base), ".html")


def suffix_of(path: str) -> str:
    """`.js` of `lib/api.js`; `.txt` of a file without one, such as a licence."""
    name = path.rpartition("/")[2]
    return f".{name.rpartition('.')[2]}" if "." in name else ".txt"


def _read(folder: Traversable, prefix: str = "") -> list[tuple[str, bytes]]:
    """The paths and bytes of all files below a folder."""
    found = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found += _read(entry, f"{prefix}{entry.name}/")
        elif suffix_of(entry.name) in MEDIA:
            found.append((f"{prefix}{entry.name}", entry.read_bytes()))
    return found
