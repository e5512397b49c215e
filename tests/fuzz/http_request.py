"""A request in parts, which mutations change, and as bytes. Pure."""

import json
import random
from dataclasses import dataclass, field
from typing import Any

Header = tuple[str, str]


@dataclass
class HttpRequest:
    """`document`: the body as JSON, until `content` replaces it by bytes. `head_only`: the response has no body."""

    verb: str
    target: str
    headers: list[Header] = field(default_factory=list)
    document: Any = None
    content: bytes | None = None
    length: str | None = None  # what Content-Length claims; None: the truth

    @property
    def head_only(self) -> bool:
        return self.verb == "HEAD"

    @property
    def body(self) -> bytes:
        if self.content is not None:
            return self.content
        return (
            b""
            if self.document is None
            else json.dumps(self.document, ensure_ascii=False).encode(errors="surrogatepass")
        )

    def encode(self) -> bytes:
        """The bytes on the wire."""
        body = self.body
        headers = [("Host", "127.0.0.1"), *self.headers]
        if body or self.verb == "POST":
            headers.append(("Content-Length", self.length if self.length is not None else str(len(body))))
        if self.document is not None and self.content is None and not self.has("Content-Type"):
            headers.append(("Content-Type", "application/json"))
        head = "".join(f"{name}: {value}\r\n" for name, value in headers)
        return f"{self.verb} {self.target} HTTP/1.1\r\n{head}\r\n".encode("latin-1", "replace") + body

    def has(self, name: str) -> bool:
        return any(one.lower() == name.lower() for one, _ in self.headers)

    def chunked(self, chance: random.Random) -> bytes:
        """The same request with its body in chunks of random sizes."""
        body, parts = self.body, []
        while body:
            size = chance.randint(1, max(1, len(body)))
            parts.append(b"%x\r\n%b\r\n" % (size, body[:size]))
            body = body[size:]
        head = "".join(f"{name}: {value}\r\n" for name, value in [("Host", "127.0.0.1"), *self.headers])
        kind = "" if self.has("Content-Type") else "Content-Type: application/json\r\n"
        lines = f"{self.verb} {self.target} HTTP/1.1\r\n{head}{kind}Transfer-Encoding: chunked\r\n\r\n"
        return lines.encode("latin-1", "replace") + b"".join(parts) + b"0\r\n\r\n"
