"""The walls between the parts: who may import whom, by reading every import and by importing for real."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
OURS = {"schemas", "broker", "service", "workers", "cli"}
MAY_IMPORT = {
    "schemas": set(),
    "broker": {"schemas"},
    "service": {"schemas", "broker"},
    "workers": {"schemas", "broker"},
    "cli": {"schemas", "broker", "service", "workers"},
}
FORBIDDEN = {
    "schemas": {"torch", "redis", "fastapi", "numpy"},
    "broker": {"torch", "fastapi"},
    "service": {"torch", "captum", "transformers", "redis"},
    "workers": {"fastapi", "uvicorn", "starlette", "redis"},
}
PURE = ["workers/engine/packer.py", "schemas/methods.py"]


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
        crossed = imported(path) & (OURS - MAY_IMPORT[package] - {package} | FORBIDDEN.get(package, set()))
        assert not crossed, f"{path.relative_to(ROOT)} imports {crossed}"


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("service.app", ["torch", "captum", "transformers", "matplotlib"]),
        ("service.main", ["torch", "captum", "transformers", "matplotlib"]),
        ("broker", ["torch", "fastapi"]),
        ("workers.main", ["fastapi", "starlette", "uvicorn"]),
        ("cli.main", ["torch", "captum", "fastapi"]),
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
