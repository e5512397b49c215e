"""What docker-compose.yml and the Dockerfile promise about each container; docker itself is not needed."""

import re
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from typing import Any

import pytest
import yaml

from tests.paths import ROOT

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
OBSERVABILITY = {"prometheus", "grafana", "otel-collector"}
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
    assert {name for name, one in SERVICES.items() if "profiles" not in one} == {"redis", "gateway", "worker"}
    assert {name for name, one in SERVICES.items() if one.get("profiles") == ["observability"]} == OBSERVABILITY
    assert set(SERVICES) == {"redis", "gateway", "worker"} | OBSERVABILITY


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
        source, _, rest = volume.partition(":")
        assert rest.endswith(":ro") or source in COMPOSE["volumes"], volume
        assert rest.endswith(":ro") or not source.startswith((".", "/"))
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
        "prometheus": "http://localhost:9090/-/healthy",
        "grafana": "http://localhost:3000/api/health",
        "gateway": '"/opt/attribution/gateway_health.py"',
        "worker": '"attribution", "worker", "--health"',
    }
    if name == "otel-collector":
        assert "healthcheck" not in SERVICES[name]  # its image holds nothing but the collector
    elif name not in ("gateway", "worker"):
        assert checks[name] in SERVICES[name]["healthcheck"]["test"][-1]
    else:
        assert "healthcheck" not in SERVICES[name]  # the image's own
        assert re.search(rf"HEALTHCHECK [^\n]*\\\n\s+CMD \[.*{re.escape(checks[name])}\]", stages()[name])
    assert SERVICES[name]["restart"] == "unless-stopped"


def test_the_index_of_torch_is_an_argument_of_the_build() -> None:
    assert SERVICES["worker"]["build"]["args"]["TORCH_INDEX"] == "${ATTRIBUTION_TORCH_INDEX:-}"
    assert "ATTRIBUTION_TORCH_INDEX=" in (ROOT / ".env.example").read_text()
    stage = stages()["worker-environment"]
    (install,) = re.findall(r"^RUN \S+pip (install .* torch)$", stage, flags=re.MULTILINE)
    assert stage.index("ARG TORCH_INDEX") < stage.index(install) < stage.index("--requirement")
    for index, expected in {"": [], "https://index.example/cpu": ["--index-url", "https://index.example/cpu"]}.items():
        command = ["sh", "-c", f"printf '%s\\n' {install}"]
        words = subprocess.run(command, env={"TORCH_INDEX": index}, capture_output=True, text=True, check=True).stdout
        assert words.split("\n")[:-1] == ["install", "--constraint", "constraints.txt", *expected, "torch"]
    assert "torch" not in stages()["gateway-environment"]


def test_what_loads_measure_outlives_the_worker() -> None:
    path = SERVICES["worker"]["environment"]["ATTRIBUTION_MEASUREMENTS"]
    assert f"worker-measurements:{path}" in SERVICES["worker"]["volumes"]
    assert f"--owner=10001 --group=10001 --mode=700 {path}\n" in stages()["worker"]


def test_no_image_that_runs_holds_models() -> None:
    """A repository is mounted; an image of its own brings it to a cluster, without a Python environment."""
    assert re.search(r"^COPY models /repository\nUSER 10001:10001$", stages()["models"], flags=re.MULTILINE)
    for name, stage in stages().items():
        assert name == "models" or not re.search(r"^COPY .*models", stage, flags=re.MULTILINE), name
    assert "./models:/models:ro" in SERVICES["worker"]["volumes"]
    assert "ATTRIBUTION_MODELS=/models" in stages()["worker"]


def test_what_is_published_is_on_loopback() -> None:
    assert {name: service["ports"] for name, service in SERVICES.items() if "ports" in service} == {
        "gateway": ["${ATTRIBUTION_PUBLISH:-127.0.0.1:8000}:8000"],
        "prometheus": ["127.0.0.1:9090:9090"],
        "grafana": ["127.0.0.1:3000:3000"],
    }


@pytest.mark.parametrize("name", sorted(OBSERVABILITY))
def test_images_of_others_have_a_version(name: str) -> None:
    assert re.fullmatch(r"[a-z/-]+:v?\d+\.\d+\.\d+", SERVICES[name]["image"])


def test_grafana_has_no_accounts_and_tells_nobody() -> None:
    environment = SERVICES["grafana"]["environment"]
    assert environment["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"
    assert environment["GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION"] == "true"
    assert environment["GF_AUTH_BASIC_ENABLED"] == "false"
    assert all(value == "false" for name, value in environment.items() if name.startswith("GF_ANALYTICS"))
    assert environment["GF_PLUGINS_PREINSTALL"] == "${ATTRIBUTION_GRAFANA_PLUGINS:-}"


def test_everything_that_is_provisioned_is_there() -> None:
    grafana = ROOT / "docker" / "grafana"
    (source,) = yaml.safe_load((grafana / "provisioning" / "datasources" / "prometheus.yml").read_text())["datasources"]
    assert (source["type"], source["url"], source["editable"]) == ("prometheus", "http://prometheus:9090", False)
    (provider,) = yaml.safe_load((grafana / "provisioning" / "dashboards" / "attribution.yml").read_text())["providers"]
    mounts = dict(volume.split(":")[:2] for volume in SERVICES["grafana"]["volumes"])
    assert mounts["./docker/grafana/dashboards"] == provider["options"]["path"]
    assert provider["allowUiUpdates"] is False
    prometheus = yaml.safe_load((ROOT / "docker" / "prometheus" / "prometheus.yml").read_text())
    assert prometheus["scrape_configs"][0]["static_configs"] == [{"targets": ["gateway:8000"]}]
    assert list((ROOT / "docker" / "prometheus").glob(prometheus["rule_files"][0]))
    collector = yaml.safe_load((ROOT / "docker" / "otel" / "collector.yml").read_text())
    pipeline = collector["service"]["pipelines"]["traces"]
    for part in ("receivers", "processors", "exporters"):
        assert set(pipeline[part]) == set(collector[part])


@ours
def test_traces_go_to_the_collector_of_the_profile_or_nowhere(name: str) -> None:
    receiver = yaml.safe_load((ROOT / "docker" / "otel" / "collector.yml").read_text())["receivers"]["otlp"]
    port = receiver["protocols"]["http"]["endpoint"].rpartition(":")[2]
    environment = SERVICES[name]["environment"]
    collector = f"${{COMPOSE_PROFILES:+http://otel-collector:{port}}}"
    assert environment["OTEL_EXPORTER_OTLP_ENDPOINT"] == f"${{OTEL_EXPORTER_OTLP_ENDPOINT:-{collector}}}"
    assert re.search(r"requirements\.py [a-z ]*\btracing\b", stages()[f"{name}-environment"])


def test_no_secret_is_written_down() -> None:
    text = (ROOT / "docker-compose.yml").read_text() + DOCKERFILE
    assert not re.search(r"(?i)(password|key|secret|token)\s*[:=]\s*[\"']?[A-Za-z0-9]", text)
    assert "ATTRIBUTION_REDIS_PASSWORD:?" in text  # no default: the start fails without one


def test_the_client_is_built_from_its_folder_and_not_looked_up() -> None:
    """No index is asked for a package of its name, which anyone could hold there."""
    command = [sys.executable, "docker/requirements.py", "gateway", "worker", "cli", "models"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout.split()
    assert not [name for name in printed if name.startswith("attribution")]
    assert {"httpx", "numpy", "fastapi"} <= set(printed)
    assert "COPY client client" in stages()["wheel"]
    assert "pip wheel --no-deps --wheel-dir /wheels . ./client" in stages()["wheel"]
    assert "--editable client --editable '.[" in (ROOT / "Makefile").read_text()


def test_the_service_does_not_ship_the_client() -> None:
    found = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]["find"]
    folders = [path.name for path in ROOT.iterdir() if path.is_dir()]
    shipped = {name for name in folders if any(fnmatch(name, pattern) for pattern in found["include"])}
    assert shipped == {"broker", "cli", "schemas", "service", "workers"}
