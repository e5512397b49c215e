"""Monitors in the store that are damaged, or of another version: they hinder no other, and can be made anew."""

from typing import Any

import orjson
import pytest
import redis

from broker import JobStore
from tests.servers import StoreServer
from tests.workers.monitors.streams import COLUMNS, SPEC, Feeder, definition, made, seen, stream, text_meta

pytestmark = pytest.mark.anyio
TEXT = SPEC.model_copy(update={"input_kind": "text"})


@pytest.fixture
def raw(store_server: StoreServer) -> Any:
    with redis.Redis.from_url(store_server.url) as client:
        yield client


async def generation(raw: redis.Redis, namespace: str, name: str) -> str:
    found: Any = raw.hget(f"{namespace}:monitors", f"/{name}")
    return str(found.decode())


DAMAGES: list[tuple[str, bytes]] = [
    ("definition", b"{"),
    ("definition", b'{"layout":2,"model":"linear","method":"input_x_gradient","window":50}'),
    ("reference", b"\xff"),
    ("reference", b'{"kind":"columns"}'),
    ("full_parts", b"many"),
    ("part_held", b"many"),
    ("observed", b"many"),
    ("skipped", b"many"),
    ("statistics_parts", b"many"),
    ("figures", b"{"),
    ("statistics", b"{"),
]


@pytest.mark.parametrize(("field", "value"), DAMAGES)
async def test_a_damaged_monitor_hinders_no_other(
    store: JobStore, feeder: Feeder, raw: redis.Redis, namespace: str, field: str, value: bytes
) -> None:
    for name in ("bad", "good"):
        await made(store, name, first=50, window=50)
    raw.hset(f"{namespace}:monitor:{await generation(raw, namespace, 'bad')}", field, value)
    feeder.learn()
    feeder.rows(stream(0, 100))
    feeder.watching.observe(TEXT, text_meta({"good": 1.0}), b"", ())
    feeder.tell()
    assert (await seen(store, "good")).statistics is not None
    assert "good" in [record.name for record in await store.monitors.all("")]
    await store.monitors.delete("bad", "")
    assert [record.name for record in await store.monitors.all("")] == ["good"]


@pytest.mark.parametrize("key", ["monitor", "monitor_raw", "monitor_part"])
async def test_a_key_of_another_type_hinders_no_other(
    store: JobStore, feeder: Feeder, raw: redis.Redis, namespace: str, key: str
) -> None:
    for name in ("bad", "good"):
        await made(store, name, first=50, window=50)
    bad = await generation(raw, namespace, "bad")
    name = f"{namespace}:{key}:{bad}" + (":0" if key == "monitor_part" else "")
    raw.delete(name)
    raw.sadd(name, "x")
    raw.hset(f"{namespace}:monitors", b"\xff\xfe", b"\xff")
    feeder.learn()
    feeder.rows(stream(0, 100))
    feeder.tell()
    assert (await seen(store, "good")).statistics is not None
    assert set(await store.monitors.figures()) == {"good"}
    await store.monitors.all("")
    assert await store.monitors.put("bad", definition(first=60)), "it can be made anew"
    await store.monitors.delete("bad", "")
    assert raw.keys(f"{namespace}:*{bad}*") == []


async def test_what_a_later_version_adds_is_ignored(
    store: JobStore, feeder: Feeder, raw: redis.Redis, namespace: str
) -> None:
    await made(store, first=50, window=50)
    key = f"{namespace}:monitor:{await generation(raw, namespace, 'm')}"
    document = orjson.loads(raw.hget(key, "definition"))  # type: ignore[arg-type]
    raw.hset(key, "definition", orjson.dumps({**document, "later": {"x": 1}}))
    raw.hset(key, "later", b"\x00")
    feeder.learn()
    feeder.rows(stream(0, 50))
    feeder.tell()
    reference = orjson.loads(raw.hget(key, "reference"))  # type: ignore[arg-type]
    raw.hset(key, "reference", orjson.dumps({**reference, "later": []}))
    feeder.keeper._known.clear()
    feeder.rows(stream(1, 50))
    feeder.tell()
    record = await seen(store)
    assert record.statistics is not None
    assert [one.name for one in record.statistics.features] == COLUMNS
