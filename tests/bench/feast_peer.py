"""Feast's own environment below .noria/bench, from hash-locked wheels."""

import hashlib
import subprocess
import sys
from pathlib import Path

from infra.packaging import bootstrap

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).with_name("feast")
RETRIEVE, LOOKUP = str(FOLDER / "retrieve.py"), str(FOLDER / "lookup.py")
SETTINGS = {"FEAST_USAGE": "False", "PYTHONWARNINGS": "ignore"}
NOT_MADE = "Feast's environment cannot be made (its message is above): measured without it."


def python() -> Path | None:
    """The environment's Python, made where it is missing; None where that fails, which is told."""
    requirements = FOLDER / "requirements.txt"
    key = hashlib.sha256(requirements.read_bytes()).hexdigest()[:16]
    version = "{}.{}".format(*sys.version_info)
    home = ROOT / ".noria" / "bench" / f"feast-{version}-{key}"
    found, ready = home / "bin" / "python", home / "ready"
    if ready.exists():
        return found
    uv = Path(sys.executable).with_name("uv")
    try:
        _run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, home)
        _run(uv, "pip", "sync", "--quiet", "--python", found, "--require-hashes",
             "--only-binary", ":all:", "--compile-bytecode", requirements)  # fmt: skip
    except subprocess.CalledProcessError:
        print(NOT_MADE, file=sys.stderr)
        return None
    ready.touch()
    return found


def _run(*command: str | Path) -> None:
    subprocess.run(list(map(str, command)), env=bootstrap.environment(), check=True)
