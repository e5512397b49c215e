"""An environment for each client, with the versions that `requirements/` pins; made once, kept in `out/clients`."""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.paths import ROOT

HERE = Path(__file__).parent
MADE = ROOT / "out" / "clients"
INSTALL_LIMIT_S = 1_800
PROGRAM_LIMIT_S = 300


@dataclass(frozen=True, slots=True)
class Environment:
    """A client's own Python, and the pinned version of the client."""

    folder: Path
    client: str
    version: str

    def run(self, program: str, document: dict[str, Any], **variables: str) -> Any:
        """What a program of `programs/` prints for a document, from JSON.

        Raises:
            AssertionError: the program failed; the message holds what it wrote to standard error.
        """
        output = self.command("python", str(HERE / "programs" / f"{program}.py"), given=document, **variables)
        return json.loads(output.splitlines()[-1])

    def command(self, name: str, *arguments: str, given: Any = None, **variables: str) -> str:
        """What a command of the environment prints."""
        done = subprocess.run(
            [str(self.folder / "bin" / name), *arguments],
            input=None if given is None else json.dumps(given),
            env={**clean_variables(), "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}", **variables},
            capture_output=True,
            text=True,
            timeout=PROGRAM_LIMIT_S,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-4_000:]
        return done.stdout


def clean_variables() -> dict[str, str]:
    """The variables of this process without those that lead into its own environment."""
    ours = ("ATTRIBUTION_", "PYTHON", "VIRTUAL_ENV", "OMP_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)} | {"no_proxy": "*"}


def environment(client: str) -> Environment:
    """The environment of a client, installed unless it is there.

    Raises:
        subprocess.CalledProcessError: it cannot be installed.
    """
    requirements = HERE / "requirements" / f"{client}.txt"
    pins = requirements.read_text(encoding="utf-8")
    folder = MADE / f"{client}-{hashlib.sha256((sys.version + pins).encode()).hexdigest()[:12]}"
    finished = folder / "installed"
    if not finished.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        install = ["-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", str(requirements)]
        subprocess.run([str(folder / "bin" / "python"), *install], check=True, timeout=INSTALL_LIMIT_S)
        finished.touch()
    named = next(line for line in pins.splitlines() if line.startswith("# client: "))
    name, _, version = named.removeprefix("# client: ").partition("==")
    return Environment(folder, name, version)
