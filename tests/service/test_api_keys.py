"""The file of API keys, and the keys that a gateway holds."""

import hmac
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from service.api_keys import ApiKey, KeyRing, KeysError, append_key, read_keys
from service.key_tuning import MAX_KEYS, MAX_KEYS_FILE_BYTES
from service.settings import SettingsError, read_settings
from tests.service.keys import key, write_keys

ANA, BEN = "attr_" + "a" * 43, "attr_" + "b" * 43
DIGEST = "0" * 64


def test_what_a_file_says(tmp_path: Path) -> None:
    path = write_keys(
        tmp_path, key("ana", ANA, ["explain", "metrics"], rows_per_minute=100, queued_rows=50), key("ben", BEN)
    )
    ana, ben = read_keys(path)
    assert (ana.name, ana.scopes, ana.rows_per_minute, ana.queued_rows) == ("ana", ["explain", "metrics"], 100, 50)
    assert (ben.rows_per_minute, ben.queued_rows) == (None, None)
    ring = KeyRing(path)
    assert not ring.is_open
    assert (ring.find(ANA), ring.find(BEN)) == (ana, ben)
    for wrong in ("", ANA[:-1], ANA + "a", ANA.upper(), f" {ANA}", ana.sha256, "ñ", "\x00"):
        assert ring.find(wrong) is None


def test_without_a_file_the_service_is_open_and_with_an_empty_one_it_is_closed(tmp_path: Path) -> None:
    assert KeyRing(None).is_open
    empty = KeyRing(write_keys(tmp_path))
    assert not empty.is_open
    assert empty.find("") is None


ENTRY = f'[[key]]\nname = "ana"\nsha256 = "{DIGEST}"\nscopes = ["explain"]\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (ENTRY.replace(DIGEST, "tooshort"), "key 1, sha256"),
        (ENTRY.replace(DIGEST, "A" * 64), "key 1, sha256"),
        (ENTRY + ENTRY.replace(DIGEST, "1" * 64), "the same name"),
        (ENTRY + ENTRY.replace("ana", "ben"), "the same sha256"),
        (ENTRY + ENTRY.replace("ana", "a b").replace(DIGEST, "1" * 64), "key 2, name"),
        (ENTRY.replace("ana", "-"), "key 1, name"),
        (ENTRY.replace("explain", "root"), "key 1, scopes"),
        (ENTRY.replace('["explain"]', "[]"), "key 1, scopes"),
        (ENTRY.replace("scopes", "scope"), "key 1, scope"),
        (ENTRY + "rows_per_minute = 0\n", "key 1, rows_per_minute"),
        (ENTRY + 'queued_rows = "many"\n', "key 1, queued_rows"),
        (ENTRY + 'secret = "x"\n', "key 1, secret"),
        ('[keys]\nname = "ana"\n', "keys"),
        ("[[key]\n", "line 1"),
        ("#" * (MAX_KEYS_FILE_BYTES + 1), "more than"),
        (
            "".join(
                ENTRY.replace("ana", f"k{number}").replace(DIGEST, f"{number:064x}") for number in range(MAX_KEYS + 1)
            ),
            "key",
        ),
    ],
)
def test_a_mistake_is_named_and_stops_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, told: str
) -> None:
    path = write_keys(tmp_path, text)
    with pytest.raises(KeysError, match=told) as caught:
        read_keys(path)
    assert str(path) in str(caught.value)
    assert "tooshort" not in str(caught.value)
    monkeypatch.setenv("ATTRIBUTION_KEYS", str(path))
    with pytest.raises(SettingsError, match="ATTRIBUTION_KEYS"):
        read_settings()


def test_a_file_that_is_not_there_or_not_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeysError, match="No such file"):
        read_keys(tmp_path / "absent")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(KeysError, match="UTF-8"):
        read_keys(tmp_path / "binary")
    monkeypatch.setenv("ATTRIBUTION_KEYS", "")
    assert read_settings().keys is None, "compose passes an unset variable so"


def test_a_key_is_compared_with_all_keys_in_constant_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the place of a key in the file, nor how much of a hash agrees, shows in the work done."""
    ring = KeyRing(write_keys(tmp_path, *(key(f"k{number}", f"secret {number}") for number in range(20))))
    compared: list[tuple[int, int]] = []

    def counted(one: str, other: str) -> bool:
        compared.append((len(one), len(other)))
        return real(one, other)

    real = hmac.compare_digest
    monkeypatch.setattr("service.api_keys.hmac.compare_digest", counted)
    for given in ("secret 0", "secret 19", "no key", "x" * 10_000):
        compared.clear()
        ring.find(given)
        assert compared == [(64, 64)] * 20


def test_a_broken_file_keeps_the_old_keys_and_says_why(tmp_path: Path) -> None:
    path = write_keys(tmp_path, key("ana", ANA))
    ring = KeyRing(path)
    for broken in ("[[key]\n", key("ana", ANA) + "owner = 1\n", None):
        if broken is None:
            path.unlink()
        else:
            path.write_text(broken)
        with capture_logs() as logs:
            ring.reload()
        assert ring.find(ANA) is not None
        (entry,) = logs
        assert entry["log_level"] == "error"
        assert str(path) in entry["reason"]
    write_keys(tmp_path, key("ben", BEN))
    with capture_logs() as logs:
        ring.reload()
    assert (ring.find(ANA), logs[0]["keys"]) == (None, 1)
    assert ring.find(BEN) is not None


def test_new_keys_are_appended(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    first = append_key(path, "ana", ["explain"], {})
    path.write_text("# ours\n" + path.read_text().rstrip("\n"))
    second = append_key(path, "ben", ["admin", "metrics"], {"rows_per_minute": 5})
    assert path.read_text().startswith("# ours\n")
    ring = KeyRing(path)
    found = ring.find(second)
    assert found is not None
    assert (found.name, found.scopes, found.rows_per_minute) == ("ben", ["admin", "metrics"], 5)
    assert ring.find(first) is not None
    assert len(first) >= 48
    assert first not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) & 0o022 == 0, "nobody else writes there"


@pytest.mark.parametrize(
    ("name", "scopes", "limits"),
    [
        ("ana", ["explain"], {}),
        ("a b", ["explain"], {}),
        ('x"\nsha256 = "', ["explain"], {}),
        ("", ["explain"], {}),
        ("new", ["root"], {}),
        ("new", [], {}),
        ("new", ["explain"], {"rows_per_minute": 0}),
    ],
)
def test_what_cannot_be_appended_leaves_the_file(
    tmp_path: Path, name: str, scopes: list[str], limits: dict[str, int]
) -> None:
    path = write_keys(tmp_path, key("ana", ANA))
    before = path.read_bytes()
    with pytest.raises(KeysError):
        append_key(path, name, scopes, limits)
    assert path.read_bytes() == before


def test_two_commands_at_once_both_append(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    with ThreadPoolExecutor(8) as pool:
        secrets = list(pool.map(lambda number: append_key(path, f"k{number}", ["explain"], {}), range(24)))
    ring = KeyRing(path)
    found = [ring.find(secret) for secret in secrets]
    assert [one.name for one in found if isinstance(one, ApiKey)] == [f"k{number}" for number in range(24)]
