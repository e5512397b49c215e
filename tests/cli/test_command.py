"""The command as a process: what it prints, what it imports, how it exits."""

import os
import socket
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from cli.processes.listen import listen

TIMEOUT_S = 60.0


def attribution(*arguments: str, cwd: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ATTRIBUTION_")}
    return subprocess.run(
        [sys.executable, "-P", "-m", "cli", *arguments],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
        cwd=cwd,
        env={**inherited, **variables, "COLUMNS": "100"},
    )


def test_help_lists_the_commands() -> None:
    done = attribution("--help")
    assert done.returncode == 0
    for command in ("serve", "gateway", "worker", "models", "explain", "compare", "jobs", "methods"):
        assert command in done.stdout


def test_the_version_is_that_of_the_package() -> None:
    done = attribution("--version")
    assert done.returncode == 0
    assert done.stdout.strip() == f"attribution {version('attribution-service')}"


@pytest.mark.parametrize(
    ("shell", "registers"), [("bash", "complete -o"), ("zsh", "compdef"), ("fish", "complete --command attribution")]
)
def test_shells_complete_commands(shell: str, registers: str) -> None:
    # Without the variable the shell is that of the parent process, whatever the argument says.
    done = attribution("--show-completion", shell, _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert done.returncode == 0, done.stderr
    assert "_ATTRIBUTION_COMPLETE" in done.stdout
    assert registers in done.stdout


def test_the_client_loads_neither_torch_nor_the_server() -> None:
    source = "import sys; import cli.main, cli.client.explain_command; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
    assert {"torch", "fastapi", "redis"}.isdisjoint(done.stdout.split())


def test_the_supervisor_loads_no_torch() -> None:
    source = "import sys; import cli.serve; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
    assert "torch" not in done.stdout.split()


def test_without_a_service_the_error_says_how_to_start_one() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    done = attribution("explain", "--text", "hello", "--url", f"http://127.0.0.1:{port}")
    assert done.returncode == 3
    assert "attribution serve" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["explain"], "exactly one of FILE, --text and --features"),
        (["explain", "--text", "a", "-o", "/nonexistent/a.png"], "there is no folder /nonexistent"),
        (["explain", "--text", "a", "-o", "a.gif"], "the name must end in"),
        (["serve", "--workers", "many"], "a number from 1 to 64, or auto"),
        (["serve", "--workers", "2", "--workers-per-device", "2"], "leave it or --workers-per-device out"),
        (["worker", "--workers-per-device", "0"], "--workers-per-device"),
        (["worker", "--workers-per-device", "2", "--models", "/nonexistent"], "/nonexistent is not a directory"),
        (["serve", "--once"], "--once belongs to --demo"),
        (["serve", "--models", "/nonexistent"], "/nonexistent is not a directory"),
        (["models", "check", "/nonexistent"], "/nonexistent is not a directory"),
        (["worker", "--models", "/nonexistent"], "/nonexistent is not a directory"),
    ],
)
def test_wrong_arguments_exit_with_2(arguments: list[str], message: str) -> None:
    done = attribution(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("variable", ["ATTRIBUTION_QUEUE_DEPTH", "ATTRIBUTION_LOG_LEVEL", "ATTRIBUTION_LOG_FORMAT"])
def test_a_bad_setting_stops_the_start_and_is_named(variable: str) -> None:
    done = attribution("serve", "--port", "0", **{variable: "many"})
    assert done.returncode == 2
    assert variable in done.stderr


def test_a_port_in_use_is_one_clear_line() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = str(taken.getsockname()[1])
        done = attribution("serve", "--port", port)
    assert done.returncode == 1
    assert done.stderr.strip() == f"error: port {port} on 127.0.0.1 is in use; choose another with --port"


def test_unknown_health() -> None:
    done = attribution("worker", "--health", ATTRIBUTION_REDIS_URL="redis://127.0.0.1:1/0")
    assert done.returncode == 1
    assert "does not answer" in done.stderr
