"""Entity tags, and responses to clients that hold a representation."""

import pytest

from service.results.caching import CACHE_CONTROL, cached_response, entity_tag, matches

pytestmark = pytest.mark.anyio
TAG = entity_tag("job", "image/png")


def test_entity_tags_differ_by_every_part() -> None:
    assert entity_tag("job", "image/png") == TAG
    assert len({TAG, entity_tag("job"), entity_tag("job", "", "image/png"), entity_tag("other", "image/png")}) == 4
    assert TAG.startswith('"')
    assert TAG.endswith('"')


@pytest.mark.parametrize(
    ("header", "expected"),
    [(TAG, True), (f'"x", W/{TAG}', True), ("*", True), ('"x"', False), ("", False), (None, False)],
)
def test_matches(header: str | None, expected: bool) -> None:
    assert matches(TAG, header) is expected


async def test_the_body_is_made_only_if_the_client_needs_it() -> None:
    made = []

    async def body() -> bytes:
        made.append(1)
        return b"picture"

    held = await cached_response(TAG, TAG, "image/png", "Accept-Language", body)
    assert (held.status_code, held.body, made) == (304, b"", [])
    sent = await cached_response(TAG, None, "image/png", "Accept-Language", body)
    assert (sent.status_code, sent.body, made) == (200, b"picture", [1])
    assert sent.headers["content-type"] == "image/png"
    for response in (held, sent):
        assert response.headers["etag"] == TAG
        assert response.headers["cache-control"] == CACHE_CONTROL
        assert response.headers["vary"] == "Accept-Language"
