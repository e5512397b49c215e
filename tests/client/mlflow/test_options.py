"""What an `evaluator_config` may say."""

from typing import Any

import pytest
from mlflow.exceptions import MlflowException

from attribution_client.mlflow.options import MAX_SAMPLE, NAMES, Options, check_prefix, read_options
from tests.paths import ROOT


def test_the_defaults() -> None:
    assert read_options({"model": "net"}) == Options("net")


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"modell": "net"}, "did you mean 'model'"),
        ({"model": "net", "zzz": 1}, "there are model, version"),
        ({}, "model: give the name"),
        ({"model": 3}, "model: give the name"),
        ({"model": "net", "sample": 0}, "sample: expected a whole number from 1"),
        ({"model": "net", "sample": MAX_SAMPLE + 1}, "sample"),
        ({"model": "net", "sample": True}, "sample"),
        ({"model": "net", "sample": 2.5}, "sample"),
        ({"model": "net", "sample_seed": -1}, "sample_seed"),
        ({"model": "net", "pictures": -1}, "pictures"),
        ({"model": "net", "concurrency": 0}, "concurrency"),
        ({"model": "net", "prefix": "a/b"}, "prefix"),
        ({"model": "net", "key": "secret"}, "unknown option 'key'"),
    ],
)
def test_a_mistake_is_named(config: dict[str, Any], told: str) -> None:
    with pytest.raises(MlflowException, match=told):
        read_options(config)


@pytest.mark.parametrize("prefix", ["", ".", "../x", "a b", "-", "é", 3, None, "a" * 51, "a\n"])
def test_a_prefix_that_is_no_name(prefix: Any) -> None:
    with pytest.raises(MlflowException, match="prefix"):
        check_prefix(prefix)


def test_bounds_are_usable() -> None:
    assert read_options({"model": "net", "sample": MAX_SAMPLE, "pictures": 0, "prefix": "run-1.a_b"}).pictures == 0


def test_the_page_names_every_option() -> None:
    page = (ROOT / "docs" / "mlflow.md").read_text(encoding="utf-8")
    table = page.partition("## Options")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert {name.strip(" `") for row in rows for name in row.split(",")} == set(NAMES)
