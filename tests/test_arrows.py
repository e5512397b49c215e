"""Which package may import which, down to the rooms of `service` and `workers`: read from the source, and imported."""

import ast
import graphlib
import subprocess
import sys
from pathlib import Path

import pytest

from tests.paths import ROOT

CLIENT = "attribution_client"
OURS = {"schemas", "broker", "service", "workers", "cli"}
MAY_IMPORT = {
    "schemas": set(),
    "broker": {"schemas"},
    "service": {"schemas", "broker"},
    "workers": {"schemas", "broker"},
    "cli": {"schemas", "broker", "service", "workers", CLIENT},
}
FORBIDDEN = {
    "schemas": {"torch", "redis", "fastapi", "numpy"},
    "broker": {"torch", "fastapi"},
    "service": {"torch", "captum", "transformers", "redis"},
    "workers": {"fastapi", "uvicorn", "starlette", "redis"},
}
# Rooms of a package from the top down: folders and loose files. A room imports those on lower lines only.
ROOMS = {
    "workers": [
        ["main"],
        ["jobs"],
        ["monitors"],
        ["evaluation"],
        ["models"],
        ["transform"],
        ["methods"],
        ["engine", "inputs", "settings"],
        ["tracing", "repository"],
    ],
    "service": [
        ["connections"],
        ["app"],
        ["dialects", "routes", "web"],
        ["admission", "openapi"],
        ["comparisons"],
        ["results", "submission", "job_view", "model_residence"],
        ["catalogue"],
        ["http", "cost"],
        ["state"],
        ["model_cards"],
        ["byte_budget", "monitoring", "readiness", "rendered", "validation", "waits"],
        ["drawing", "pictures"],
        ["gateway_documents", "languages", "release", "settings", "tuning"],
        ["api_keys", "connection_settings"],
        ["key_tuning"],
    ],
}
EXTRAS = {"mlflow": {"mlflow", "matplotlib", "pandas", "PIL"}}
UNKNOWN_TO_THE_ENGINE = {"captum", "broker", "workers.repository", "workers.settings"}
PURE = ["workers/engine/shared/packer.py", *(f"schemas/methods/{name}.py" for name in ("cost", "stored", "union"))]


def imported(path: Path) -> set[str]:
    """Top-level names of everything a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("package", sorted(OURS))
def test_arrows_point_one_way(package: str) -> None:
    files = list((ROOT / package).rglob("*.py"))
    assert files
    for path in files:
        not_allowed = OURS | {CLIENT} | FORBIDDEN.get(package, set())
        crossed = imported(path) & (not_allowed - MAY_IMPORT[package] - {package})
        assert not crossed, f"{path.relative_to(ROOT)} imports {crossed}"


def test_the_client_needs_httpx_and_numpy_alone() -> None:
    """Its rooms that have an extra may import what the extra brings."""
    files = list((ROOT / "client" / CLIENT).rglob("*.py"))
    assert files
    for path in files:
        room = path.relative_to(ROOT / "client" / CLIENT).parts[0]
        others = imported(path) - sys.stdlib_module_names - {CLIENT, "httpx", "numpy"} - EXTRAS.get(room, set())
        assert not others, f"{path.relative_to(ROOT)} imports {others}"


def imported_modules(path: Path) -> set[str]:
    """Full names of everything a file imports; of `from a import b` both `a` and `a.b`, since `b` may be a module."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def module_name(path: Path) -> str:
    """`a.b` of a/b.py, and `a` of a/__init__.py."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize("package", sorted(ROOMS))
def test_rooms_import_only_rooms_below_them(package: str) -> None:
    level = {room: number for number, rooms in enumerate(ROOMS[package]) for room in rooms}
    upwards, seen = [], set()
    for path in (ROOT / package).rglob("*.py"):
        room = path.relative_to(ROOT / package).parts[0].removesuffix(".py")
        if room == "__init__":
            continue
        seen.add(room)
        targets = {name.split(".")[1] for name in imported_modules(path) if name.startswith(f"{package}.")}
        upwards += [f"{path.relative_to(ROOT)} imports {to}" for to in targets - {room} if level[to] <= level[room]]
    assert not upwards
    assert seen == level.keys()


@pytest.mark.parametrize("package", [*sorted(OURS), f"client/{CLIENT}"])
def test_no_modules_import_each_other(package: str) -> None:
    modules = {module_name(path).removeprefix("client."): path for path in (ROOT / package).rglob("*.py")}
    graph = {name: (imported_modules(path) & modules.keys()) - {name} for name, path in modules.items()}
    for name, path in modules.items():
        if path.name == "__init__.py":  # a package's face imports its modules, which import the package by being in it
            graph[name] -= {other for other in graph if other.startswith(f"{name}.") and name in graph[other]}
    assert len(list(graphlib.TopologicalSorter(graph).static_order())) == len(modules)


def test_the_engine_knows_neither_captum_nor_repository_nor_job_store() -> None:
    for path in (ROOT / "workers" / "engine").rglob("*.py"):
        crossed = imported_modules(path) & UNKNOWN_TO_THE_ENGINE
        assert not crossed, f"{path.relative_to(ROOT)} imports {crossed}"


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("service.app", ["torch", "captum", "transformers", "matplotlib"]),
        ("service.connections.server", ["torch", "captum", "transformers", "matplotlib"]),
        ("broker", ["torch", "fastapi"]),
        ("cli.gateway", ["torch", "captum"]),
        ("workers.main", ["fastapi", "starlette", "uvicorn"]),
        ("cli.main", ["torch", "captum", "fastapi"]),
        (CLIENT, ["torch", "PIL", "pandas", "tqdm", "pydantic", "mlflow", "matplotlib", "schemas", "service"]),
        *((f"schemas.{p.stem}", ["torch", "fastapi", "redis"]) for p in (ROOT / "schemas").glob("[a-z]*.py")),
    ],
)
def test_nothing_heavy_comes_along(module: str, absent: list[str]) -> None:
    """Imported in a fresh interpreter, by whatever way."""
    code = f"import sys, {module}; print(*[name for name in {absent!r} if name in sys.modules])"
    loaded = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], check=False, capture_output=True, text=True, cwd=ROOT
    )
    assert loaded.returncode == 0, loaded.stderr
    assert loaded.stdout.split() == []


@pytest.mark.parametrize("path", PURE)
def test_pure_parts_do_no_io(path: str) -> None:
    assert not imported(ROOT / path) & {"os", "io", "pathlib", "socket", "threading", "torch", "redis", "subprocess"}
