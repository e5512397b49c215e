"""URLs of a service that Redis Sentinel watches. Pure.

    redis+sentinel://[user:password@]host[:port][,host[:port]…]/service[/database][?option=value…]

`rediss+sentinel` encrypts the connections to sentinels and servers alike. User and password are those of the servers;
the sentinels' own are the options `sentinel_username` and `sentinel_password`. Other options are redis-py's.
"""

from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

SCHEMES = ("redis+sentinel", "rediss+sentinel")
DEFAULT_PORT = 26379
OWN_OPTIONS = ("sentinel_username", "sentinel_password")


class SentinelAddress(NamedTuple):
    """Where the sentinels are, and what they watch. `data_url` holds the options of connections to the servers."""

    hosts: list[tuple[str, int]]
    service: str
    data_url: str
    is_encrypted: bool
    sentinel_username: str | None = None
    sentinel_password: str | None = None


def sentinel_address(url: str) -> SentinelAddress | None:
    """The parts of a Sentinel URL; None for a URL of another kind.

    Raises:
        ValueError: it names no host or no service, or a port or the database is no number. The message holds no part of
            the URL, which may contain a password.
    """
    scheme, _, rest = url.partition("://")
    if scheme not in SCHEMES:
        return None
    parts = urlsplit(f"//{rest}")
    user, at, places = parts.netloc.rpartition("@")
    hosts = [_host(place) for place in places.split(",") if place]
    service, _, database = parts.path.strip("/").partition("/")
    if not hosts or not service:
        raise ValueError("a Sentinel URL has the form redis+sentinel://host:port,host:port/service/database")
    if database and not database.isdecimal():
        raise ValueError("the database of a Sentinel URL is a number")
    options = dict(parse_qsl(parts.query))
    own = {name: options.pop(name, None) for name in OWN_OPTIONS}
    data = f"{scheme.partition('+')[0]}://{user}{at}primary/{database or 0}"
    return SentinelAddress(
        hosts=hosts,
        service=unquote(service),
        data_url=data + (f"?{urlencode(options)}" if options else ""),
        is_encrypted=scheme == "rediss+sentinel",
        **own,
    )


def _host(place: str) -> tuple[str, int]:
    """A host and its port; an IPv6 address stands in brackets."""
    split = urlsplit(f"//{place}")
    try:
        port = split.port
    except ValueError:
        raise ValueError("a port of a Sentinel URL is a number from 0 to 65535") from None
    if not split.hostname:
        raise ValueError("a host of a Sentinel URL is missing")
    return split.hostname, DEFAULT_PORT if port is None else port
