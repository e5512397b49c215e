"""What docker-compose.yml and the Dockerfile promise about each container; docker itself is not needed."""

import re
from typing import Any

import pytest
import yaml

from tests.paths import ROOT

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
UNITS = {"m": 2**20, "g": 2**30}
each_service = pytest.mark.parametrize("name", SERVICES)
ours = pytest.mark.parametrize("name", ["gateway", "worker"])


def size_bytes(text: str) -> int:
    match = re.fullmatch(r"(\d+)([mg])", text)
    assert match, f"{text} is no size"
    return int(match[1]) * UNITS[match[2]]


def stages() -> dict[str, str]:
    """The text of each stage of the Dockerfile, by name."""
    parts = re.split(r"^FROM \S+ AS (\S+)$", DOCKERFILE, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_the_services() -> None:
    assert set(SERVICES) == {"redis", "gateway", "worker"}


@each_service
def test_no_privileges(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["user"] not in ("", "root", "0", "0:0")
    assert not service.keys() & {"cap_add", "privileged", "network_mode", "pid", "ipc", "devices", "userns_mode"}


@each_service
def test_memory_and_processes_are_bounded(name: str) -> None:
    service = SERVICES[name]
    assert 1 <= service["pids_limit"] <= 8192
    assert size_bytes(service["mem_limit"]) == size_bytes(service["memswap_limit"])  # no swap beyond the memory
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "3"}


@each_service
def test_the_root_is_read_only_and_what_can_be_written_has_a_size(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    (mount,) = service["tmpfs"]
    path, _, options = mount.partition(":")
    size = re.search(r"size=(\w+)", options)
    assert path == "/tmp"
    assert size
    assert size_bytes(size[1]) < size_bytes(service["mem_limit"])  # a tmpfs takes the container's memory
    assert {"nosuid", "nodev"} <= set(options.split(","))
    for volume in service.get("volumes", []):
        assert volume.endswith(":ro") or volume == "redis-data:/data"
        assert "docker.sock" not in volume


@ours
def test_our_images_run_without_root(name: str) -> None:
    stage = stages()[name]
    assert SERVICES[name]["user"] == "10001:10001"
    assert "USER 10001:10001" in stage
    assert stage.index("USER") > max(stage.rindex("COPY"), 0)  # what the image holds belongs to root
    assert "useradd --uid 10001 --gid 10001" in stages()["runtime"]


@each_service
def test_health_is_checked(name: str) -> None:
    checks = {
        "redis": "redis-cli ping",
        "gateway": '"/opt/attribution/gateway_health.py"',
        "worker": '"attribution", "worker", "--health"',
    }
    if name == "redis":
        assert checks[name] in SERVICES[name]["healthcheck"]["test"][1]
    else:
        assert "healthcheck" not in SERVICES[name]  # the image's own
        assert re.search(rf"HEALTHCHECK [^\n]*\\\n\s+CMD \[.*{re.escape(checks[name])}\]", stages()[name])
    assert SERVICES[name]["restart"] == "unless-stopped"


def test_only_the_gateway_is_published_and_on_loopback() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["gateway"]
    assert SERVICES["gateway"]["ports"] == ["${ATTRIBUTION_PUBLISH:-127.0.0.1:8000}:8000"]


def test_no_secret_is_written_down() -> None:
    text = (ROOT / "docker-compose.yml").read_text() + DOCKERFILE
    assert not re.search(r"(?i)(password|key|secret|token)\s*[:=]\s*[\"']?[A-Za-z0-9]", text)
    assert "ATTRIBUTION_REDIS_PASSWORD:?" in text  # no default: the start fails without one
