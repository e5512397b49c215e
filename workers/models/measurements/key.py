"""The key under which measurements of a load are kept: a digest of everything that they depend on."""

import hashlib
import os
import platform
import sys
import sysconfig
from functools import cache
from pathlib import Path

import torch
from torch import nn

import schemas
import workers
from workers.models.resident import Device
from workers.models.stages import LoadedModel

# Variables by which libraries choose kernels; and others of such names, which scikit-learn sets when it is imported.
_VARIABLES = ("ATEN_", "CUBLAS_", "CUDNN_", "DNNL_", "KMP_", "MKL_", "NVIDIA_", "OMP_", "ONEDNN_", "PYTORCH_", "TORCH_")
_SET_BY_IMPORTS = frozenset({"KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK"})


def measurement_key(loaded: LoadedModel, files: str) -> str:
    """64 hexadecimal digits, equal only for equal models on equal devices with equal software and settings.

    - the model: its configuration, weights and code, all files of its folder, and the code of packages that are not
      installed but edited in place
    - the software: Python, every installed package, and the code of this service
    - the device: its name and abilities, and the memory of a GPU
    - the settings: threads, rows of a full pass, TF32, and what libraries read from the environment

    Args:
        loaded: before anything has run it.
        files: `workers.repository.folders.fingerprint` of its folder.
    """
    parts = (
        loaded.digest,
        files,
        *_edited_code(loaded.module, loaded.config.factory),
        *_software(),
        *_hardware(loaded.device.device),
        *_settings(loaded.device),
    )
    digest = hashlib.sha256()
    for part in parts:
        digest.update(f"{len(part)}:{part}\n".encode())
    return digest.hexdigest()


def _settings(device: Device) -> list[str]:
    cuda, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn
    return [
        f"threads {device.threads}, rows {device.batch_rows}, processes {device.processes}",
        f"tf32 {cuda.allow_tf32} {cudnn.allow_tf32}, {torch.get_float32_matmul_precision()}",
        f"benchmark {cudnn.benchmark}, deterministic {torch.are_deterministic_algorithms_enabled()}",
        *sorted(
            f"{name}={value}"
            for name, value in os.environ.items()
            if name.startswith(_VARIABLES) and name not in _SET_BY_IMPORTS
        ),
    ]


def _hardware(device: torch.device) -> list[str]:
    if device.type == "cuda":
        found = torch.cuda.get_device_properties(device)
        return [f"{found.name} {found.major}.{found.minor}, {found.total_memory} bytes"]
    return [f"{device.type} {_processor()}, {os.cpu_count()} cores, {torch.backends.cpu.get_cpu_capability()}"]


@cache
def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:  # a system without it
        lines = []
    named = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return f"{platform.machine()} {named or platform.processor()}"


@cache
def _software() -> tuple[str, ...]:
    """Versions of what is installed, and the digest of the code of this service."""
    # The names of these folders are names and versions; reading all of their files takes a second.
    installed = {found.name for path in sys.path for found in Path(path).glob("*.*-info")}
    ours = [Path(package.__path__[0]) for package in (schemas, workers)]
    return (sys.version, torch.__config__.show(), *sorted(installed), *(_code_digest(folder) for folder in ours))


def _edited_code(module: nn.Module, factory: str | None) -> list[str]:
    """Digests of the packages that define the model's modules, of those that no installed version stands for."""
    names = {type(part).__module__.partition(".")[0] for part in module.modules()}
    source = (factory or "").partition(":")[0]
    if source and not source.endswith(".py"):
        names.add(source.partition(".")[0])
    files = {name: getattr(sys.modules.get(name), "__file__", None) for name in names}
    return [
        f"{name} {_code_digest(path.parent) if path.name == '__init__.py' else _file_digest(path)}"
        for name, path in sorted((name, Path(file)) for name, file in files.items() if file)
        if not name.startswith("_model_") and not _is_installed(path)
    ]


def _is_installed(path: Path) -> bool:
    """Whether a file belongs to Python or to a package that has a version."""
    paths = sysconfig.get_paths()
    return any(path.is_relative_to(paths[name]) for name in ("stdlib", "platstdlib", "purelib", "platlib"))


def _code_digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(f"{path.relative_to(folder)} {_file_digest(path)}\n".encode())
    return digest.hexdigest()


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
