"""The file of several stores."""

from pathlib import Path

import pytest

from broker.stores_file import StoresError, read_stores
from broker.tuning import MAX_STORES, MAX_STORES_FILE_BYTES

GOOD = """
[[store]]
name = "pictures"
url = "redis://:hunter2@redis-pictures:6379/0"
models = ["efficientnet-lite0", "vit"]

[[store]]
name = "texts"
url = "rediss+sentinel://one:26379,two:26379/mymaster/0"
models = ["minilm-sentiment"]
ca = "CA"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "stores.toml"
    (folder / "ca.crt").write_text("a certificate")
    path.write_text(text.replace("CA", str(folder / "ca.crt")))
    return path


def test_stores_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTRIBUTION_NAMESPACE", "team")
    monkeypatch.setenv("ATTRIBUTION_REDIS_CERT", str(written(tmp_path, GOOD)))  # of the default store alone
    pictures, texts = read_stores(tmp_path / "stores.toml")
    assert pictures.models == ("efficientnet-lite0", "vit")
    assert pictures.settings().store_url == "redis://:hunter2@redis-pictures:6379/0"
    assert pictures.settings().namespace == "team"
    assert texts.settings().redis_ca == tmp_path / "ca.crt"
    assert "hunter2" not in repr(pictures)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("pictures", "Pictures"), r"store 1, name: "),
        (("pictures", "texts"), "two stores have one name"),
        (("vit", "minilm-sentiment"), "a model is on two stores"),
        (('"vit"', '"a b"'), r"store 1, models, 1: "),
        (('["efficientnet-lite0", "vit"]', "[]"), r"store 1, models: "),
        (("redis://", "http://"), r"store 1: .*url"),
        (("redis://:hunter2@redis-pictures:6379/0", "hunter2"), r"store 1: .*url"),
        (('models = ["minilm', 'modells = ["minilm'), r"store 2, models: "),
        (('ca = "CA"', 'ca = "/nowhere/hunter2"'), r"store 2: .*ca"),
        (("rediss+sentinel://one:26379,two:26379/mymaster/0", "redis://one:6379/0"), r"store 2: .*ca.*encrypted"),
        (("[[store]]", "[[stores]]"), "stores: "),
        (('name = "pictures"', 'name = "pictures'), "line "),
    ],
)
def test_mistakes_are_named_and_nothing_is_repeated(tmp_path: Path, change: tuple[str, str], reason: str) -> None:
    path = written(tmp_path, GOOD.replace(*change, 1))
    with pytest.raises(StoresError, match=reason) as caught:
        read_stores(path)
    assert str(path) in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_sizes_are_bounded(tmp_path: Path) -> None:
    entry = '[[store]]\nname = "n{}"\nurl = "redis://a"\nmodels = ["m{}"]\n'
    path = written(tmp_path, "".join(entry.format(one, one) for one in range(MAX_STORES)))
    assert len(read_stores(path)) == MAX_STORES
    written(tmp_path, "".join(entry.format(one, one) for one in range(MAX_STORES + 1)))
    with pytest.raises(StoresError, match="at most 16"):
        read_stores(path)
    path.write_text("#" * (MAX_STORES_FILE_BYTES + 1))
    with pytest.raises(StoresError, match="more than 1048576 bytes"):
        read_stores(path)


@pytest.mark.parametrize("blob", [b"\xff", b""])
def test_what_is_no_such_file_is_refused(tmp_path: Path, blob: bytes) -> None:
    path = tmp_path / "stores.toml"
    path.write_bytes(blob)
    with pytest.raises(StoresError):
        read_stores(path)
    with pytest.raises(StoresError, match="No such file"):
        read_stores(tmp_path / "absent.toml")
