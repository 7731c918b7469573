"""Dependency layers from hash-locked wheels, without Docker: for Lambda, or for this machine."""

import functools
import hashlib
import os
import platform as machine
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from infra.packaging import frozen, slimming
from infra.packaging.slimming import slim
from noria.errors import NoriaError

LAYERS = ("data", "features", "model", "serve")
RUNTIME_LAYER = "runtime"
LAMBDA_PYTHON = "3.13"
LAMBDA_TAG = "aarch64-manylinux_2_28"
SIZE_LIMIT = 250 * 1024 * 1024

# The runtime brings these; setuptools is named by awswrangler and imported by nothing.
RUNTIME_BRINGS = {"boto3", "botocore", "s3transfer", "setuptools"}
# What redshift-connector imports for SAML sign-in only, and what cffi needs to build, not to run.
UNUSED = {"lxml", "beautifulsoup4", "soupsieve", "pycparser"}
LEFT_OUT = {"data": RUNTIME_BRINGS | UNUSED}

# What the local cloud imports once per layer set, before it forks a process per function.
PRELOAD = {
    "data": "numpy pandas pyarrow pyarrow.parquet awswrangler boto3 pydantic yaml",
    "features": "numpy pandas duckdb boto3 pydantic yaml",
    "model": "numpy scipy pandas sklearn.ensemble sklearn.linear_model sklearn.model_selection "
    "skl2onnx onnx boto3 pydantic yaml",
    "serve": "numpy onnxruntime fastapi mangum boto3 pydantic yaml",
    "runtime": "boto3",
    "noria": "noria.lifecycle.stage",  # the contract's models and most that handlers import
}


class Platform(StrEnum):
    """Where a layer is to run."""

    LAMBDA = "lambda"
    HOST = "host"


class LayerError(NoriaError):
    """A layer could not be built."""


def platform_tag(platform: Platform) -> str:
    """What a built layer depends on besides its requirements."""
    if platform is Platform.LAMBDA:
        compiled = "compiled" if lambda_python() else "source"
        return f"{LAMBDA_TAG}-{LAMBDA_PYTHON}-{compiled}"
    return f"{sys.implementation.cache_tag}-{machine.system()}-{machine.machine()}"


def builder_fingerprint() -> str:
    """Changes with the builder, so that a new way of building is not hidden by an old result."""
    sources = (Path(__file__), Path(frozen.__file__), Path(slimming.__file__))
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()


def install_layer(
    name: str, requirements: Path, folder: Path, platform: Platform, *, final: Path
) -> None:
    """Fill a folder with `python/` and preload.txt; `final` is where it will be moved to."""
    packages = folder / "python"
    locked = folder / "requirements.txt"
    locked.write_text(_without(requirements.read_text(), LEFT_OUT.get(name, set())))
    _install(packages, locked, platform)
    slim(packages)
    compile_bytecode(packages, platform, final / "python")
    locked.unlink()
    write_preload(name, folder)


def write_preload(name: str, folder: Path) -> None:
    """Name in a layer the modules that the local cloud imports before it forks."""
    (folder / "preload.txt").write_text("\n".join(PRELOAD[name].split()) + "\n")


@functools.cache
def lambda_python() -> str | None:
    """A Python of Lambda's version on this machine: it compiles bytecode for any processor."""
    name = f"python{LAMBDA_PYTHON}"
    on_path = shutil.which(name)
    by_pyenv = Path.home().glob(f".pyenv/versions/{LAMBDA_PYTHON}.*/bin/{name}")
    by_uv = Path.home().glob(f".local/share/uv/python/cpython-{LAMBDA_PYTHON}.*/bin/{name}")
    candidates = [on_path] if on_path else []
    candidates += [str(path) for path in (*by_pyenv, *by_uv)]
    return next((python for python in candidates if _is_lambda_python(python)), None)


def _is_lambda_python(python: str) -> bool:
    asked = subprocess.run([python, "--version"], capture_output=True, text=True, check=False)
    return asked.stdout.startswith(f"Python {LAMBDA_PYTHON}.")


def _without(requirements: str, names: set[str]) -> str:
    blocks = re.split(r"^(?=[^\s#])", requirements, flags=re.M)
    return "".join(block for block in blocks if block.split("==")[0] not in names)


def _install(packages: Path, locked: Path, platform: Platform) -> None:
    lambda_only = ["--python-platform", LAMBDA_TAG, "--python-version", LAMBDA_PYTHON]
    for_platform = lambda_only if platform is Platform.LAMBDA else ["--python", sys.executable]
    # Copies, not links: what is stripped here must not change uv's cache.
    _run(
        *(_uv(), "pip", "install", "--quiet", "--no-deps", "--require-hashes"),
        *("--only-binary", ":all:", "--link-mode", "copy", "--target", str(packages)),
        *("--requirements", str(locked)),
        *for_platform,
    )


def compile_bytecode(packages: Path, platform: Platform, final: Path) -> None:
    """Bytecode that is never checked against its source: without it imports take thrice as long."""
    python = lambda_python() if platform is Platform.LAMBDA else sys.executable
    if python is None:
        _notice_missing_bytecode()
        return
    shown = "/opt/python" if platform is Platform.LAMBDA else str(final)
    _run(
        *(python, "-I", "-m", "compileall", "-q", "-j", "2"),
        *("--invalidation-mode", "unchecked-hash", "-s", str(packages), "-p", shown),
        str(packages),
    )


@functools.cache
def _notice_missing_bytecode() -> None:
    print(
        f"Building Lambda's layers without bytecode, for there is no python{LAMBDA_PYTHON} on the "
        "path: functions start slower. Install one and synthesize again to have it.",
        file=sys.stderr,
    )


def _uv() -> str:
    beside = Path(sys.executable).with_name("uv")
    found = str(beside) if beside.exists() else shutil.which("uv")
    if not found:
        raise LayerError("uv is missing: run `make setup`")
    return found


def _run(*command: str) -> None:
    variables = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LayerError(f"{command[0]} failed ({done.returncode}): {done.stderr.strip()}")


def preload_modules(layer: Path) -> Sequence[str]:
    """The modules that a built layer names for importing once."""
    return (layer / "preload.txt").read_text().split()
