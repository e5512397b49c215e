"""Where the service is, who asks, and in which language: from arguments, else from the environment."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass, field

import httpx

from attribution_client.errors import InputError

URL_VARIABLE = "ATTRIBUTION_URL"
KEY_VARIABLE = "ATTRIBUTION_KEY"  # the API key that the client sends
DEFAULT_URL = "http://127.0.0.1:8000"


@dataclass(frozen=True)
class Connection:
    """The address of a service, the headers of every request, and whether the environment's proxies are used."""

    url: str
    headers: dict[str, str] = field(repr=False)  # they hold the key
    uses_proxies: bool

    @classmethod
    def of(cls, url: str | None, key: str | None, language: str | None) -> Connection:
        """The connection; what is None comes from `ATTRIBUTION_URL`, `ATTRIBUTION_KEY` and the locale.

        Raises:
            InputError: the URL is none of HTTP, holds a password, or the key is not one.
        """
        url = (url or os.environ.get(URL_VARIABLE, "").strip() or DEFAULT_URL).rstrip("/")
        key = os.environ.get(KEY_VARIABLE, "").strip() if key is None else key.strip()
        if key and not (key.isascii() and key.isprintable()):
            raise InputError(f"the API key holds characters that no key has; see {KEY_VARIABLE}")
        language = _locale() if language is None else language
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        headers |= {"Accept-Language": language} if language else {}
        return cls(url, headers, uses_proxies=not _is_loopback(_checked(url)))


def _checked(url: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError, TypeError) as error:
        raise InputError(f"{url!r} is not a URL: {error}") from None
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise InputError(f"{url!r} is not the URL of a service; write http://host:port")
    if parsed.userinfo or parsed.query or parsed.fragment:
        raise InputError("the URL of a service has no password, query or fragment")
    return parsed


def _is_loopback(url: httpx.URL) -> bool:
    """Whether it names this machine, whose requests bypass the proxies of the environment."""
    try:
        return url.host == "localhost" or ipaddress.ip_address(url.host).is_loopback
    except ValueError:
        return False


def _locale() -> str:
    """The language of captions and problems, from the environment's locale; empty where it has none."""
    locale = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    language = locale.partition("_")[0].partition(".")[0].lower()
    return language if language.isascii() and language.isalpha() and language not in {"c", "posix"} else ""
