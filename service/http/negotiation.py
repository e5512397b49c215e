"""Content negotiation by `Accept` and `Accept-Language` (RFC 9110, sections 12.5.1 and 12.5.4). Pure."""

from collections.abc import Sequence

MAX_RANGES = 32  # ranges of one header that are looked at


def choose_media(header: str | None, offers: Sequence[str]) -> str | None:
    """The offer the client likes best; ties go to the earlier offer. None: it accepts none of them."""
    if not header or not header.strip():
        return offers[0]
    ranges = _weighted(header)
    best, best_weight = None, 0.0
    for offer in offers:
        weight = _media_weight(offer, ranges)
        if weight > best_weight:
            best, best_weight = offer, weight
    return best


def choose_language(header: str | None, offers: Sequence[str]) -> str:
    """The offered language that the client likes best, by primary subtag; the first offer when it likes none."""
    best, best_weight = offers[0], 0.0
    for tag, weight in _weighted(header or ""):
        primary = tag.partition("-")[0]
        offer = offers[0] if tag == "*" else primary
        if offer in offers and weight > best_weight:
            best, best_weight = offer, weight
    return best


def _media_weight(offer: str, ranges: list[tuple[str, float]]) -> float:
    """The weight of the most specific range that covers the offer; 0 when none does."""
    main = offer.partition("/")[0]
    for pattern in (offer, f"{main}/*", "*/*"):
        for name, weight in ranges:
            if name == pattern:
                return weight
    return 0.0


def _weighted(header: str) -> list[tuple[str, float]]:
    """`a;q=0.5, b` -> [("a", 0.5), ("b", 1.0)], in the header's order. Parameters other than q are ignored."""
    ranges = []
    for part in header.split(",")[:MAX_RANGES]:
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        if name:
            ranges.append((name, _quality(parameters)))
    return ranges


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            try:
                return min(1.0, max(0.0, float(value)))
            except ValueError:
                return 0.0
    return 1.0
