"""`docs/security.md` names every setting that bounds something, and the values that hold."""

import re

import pytest

from broker.tuning import (
    BATCH_SHARE,
    CARD_TTL_MS,
    LISTING_TIMEOUT_S,
    MAX_CONNECTIONS,
    MAX_PAGE_JOBS,
    MAX_SCANNED_JOBS,
    MAX_STORES,
    MAX_STORES_FILE_BYTES,
    MEASURED_TTL_S,
    OTHER_CARD_TTL_MS,
    REUSE_TTL_S,
)
from schemas import limits
from service import key_tuning, tuning
from service.settings import GatewaySettings
from tests.paths import ROOT
from workers.settings import WorkerSettings

PAGE = (ROOT / "docs" / "security.md").read_text()
FIELDS = {**GatewaySettings.model_fields, **WorkerSettings.model_fields}
NO_BOUNDS = {  # places, names and switches
    *("redis_url", "redis_ca", "redis_cert", "redis_key", "namespace"),
    *("cache", "keys", "stores", "host", "port", "models", "measurements", "device"),
    *("worker_id", "replaces", "group", "serve"),
}


@pytest.mark.parametrize("field", sorted(FIELDS.keys() - NO_BOUNDS))
def test_every_bound_that_is_a_setting_is_in_the_table(field: str) -> None:
    (row,) = re.findall(rf"^\|[^|]+\| `ATTRIBUTION_{field.upper()}` \|([^|]+)\|[^|]+\|$", PAGE, flags=re.MULTILINE)
    default = FIELDS[field].default
    if isinstance(default, int | float) and field != "threads":
        assert row.strip() in (f"{default:,.0f}", f"{default / 2**20:g} MiB")


def test_what_is_called_no_bound_is_a_setting() -> None:
    assert FIELDS.keys() >= NO_BOUNDS


@pytest.mark.parametrize("name", [name for name in vars(limits) if name.startswith("MAX_") and name != "MAX_SEED"])
def test_every_limit_of_a_request_is_in_the_table(name: str) -> None:
    assert f"`{name}`" in PAGE


def test_the_values_of_constants() -> None:
    rows = re.findall(r"^\|[^|]+\| (`[A-Z_`, ]+`) \| ([^|]+) \|", PAGE, flags=re.MULTILINE)
    shown = {}
    for names, values in rows:
        shown |= dict(zip(re.findall(r"`([A-Z_]+)`", names), values.split(", "), strict=True))
    broker = {
        "BATCH_SHARE": BATCH_SHARE,
        "CARD_TTL_MS": CARD_TTL_MS,
        "OTHER_CARD_TTL_MS": OTHER_CARD_TTL_MS,
        "MAX_CONNECTIONS": MAX_CONNECTIONS,
        "MAX_PAGE_JOBS": MAX_PAGE_JOBS,
        "MAX_SCANNED_JOBS": MAX_SCANNED_JOBS,
        "LISTING_TIMEOUT_S": LISTING_TIMEOUT_S,
        "MAX_STORES": MAX_STORES,
        "MAX_STORES_FILE_BYTES": MAX_STORES_FILE_BYTES,
        "MEASURED_TTL_S": MEASURED_TTL_S,
        "REUSE_TTL_S": REUSE_TTL_S,
    }
    known = {**vars(limits), **vars(tuning), **vars(key_tuning), **broker}
    checked = [name for name in shown if name in known]
    assert len(checked) > 20
    for name in checked:
        value = known[name]
        assert shown[name] in (f"{value:,}", f"{value // 2**20} MiB"), name
