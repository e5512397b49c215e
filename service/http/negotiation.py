"""Content negotiation by `Accept`, `Accept-Encoding` and `Accept-Language` (RFC 9110, section 12.5). Pure."""

from collections.abc import Sequence
from typing import TypeVar

from service.languages import LANGUAGES, Language
from service.tuning import MAX_HEADER_RANGES

Tag = TypeVar("Tag", bound=str)


def choose_media(accept: str | None, offers: Sequence[str]) -> str | None:
    """The offered media type that the header weights highest; of equal ones the first.

    Returns:
        The media type, or None if the header accepts none of them.
    """
    if not accept or not accept.strip():
        return offers[0]
    ranges = _weighted(accept)
    best, best_weight = None, 0.0
    for offer in offers:
        weight = _media_weight(offer, ranges)
        if weight > best_weight:
            best, best_weight = offer, weight
    return best


def choose_language(accept_language: str | None, offers: Sequence[Tag]) -> Tag:
    """The offered language that the header weights highest, by primary subtag; the first offer if it names none."""
    best, best_weight = offers[0], 0.0
    for tag, weight in _weighted(accept_language or ""):
        primary = offers[0] if tag == "*" else tag.partition("-")[0]
        offer = next((offer for offer in offers if offer == primary), None)
        if offer is not None and weight > best_weight:
            best, best_weight = offer, weight
    return best


def language_of(accept_language: str | None) -> Language:
    """The language that an `Accept-Language` header prefers; English when it names none of `LANGUAGES`."""
    return choose_language(accept_language, LANGUAGES)


def accepts_encoding(accept_encoding: str | None, coding: str) -> bool:
    """Whether an `Accept-Encoding` header names the coding, or `*`, and does not weight it zero."""
    weights = dict(reversed(_weighted(accept_encoding or "")))
    return weights.get(coding, weights.get("*", 0.0)) > 0


def _media_weight(offer: str, ranges: list[tuple[str, float]]) -> float:
    """The weight of the most specific range that covers the offer; 0 if none does."""
    main = offer.partition("/")[0]
    for pattern in (offer, f"{main}/*", "*/*"):
        for name, weight in ranges:
            if name == pattern:
                return weight
    return 0.0


def _weighted(header: str) -> list[tuple[str, float]]:
    """`a;q=0.5, b` -> [("a", 0.5), ("b", 1.0)], in the header's order. Parameters other than q are ignored."""
    ranges = []
    for entry in header.split(",")[:MAX_HEADER_RANGES]:
        name, *parameters = (part.strip().lower() for part in entry.split(";"))
        if name:
            ranges.append((name, _weight(parameters)))
    return ranges


def _weight(parameters: list[str]) -> float:
    """The value of `q`, 0 to 1; 1 if absent, 0 if malformed."""
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            try:
                return min(1.0, max(0.0, float(value)))
            except ValueError:
                return 0.0
    return 1.0
