"""Environments of their own for peers and servers, below .noria/bench, from hash-locked wheels."""

import hashlib
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.packaging import bootstrap

ROOT = Path(__file__).parents[2]
NOT_MADE = """\
The environment of {requirements} cannot be made under Python {version} (its message is above; the
first time it takes the network): done without it."""


def python_of(
    name: str, built: Sequence[str] = (), within: Path = Path(__file__).parent
) -> Path | None:
    """The Python of NAME/requirements.txt in a folder, tests/bench by default, made where missing.

    `built` are packages that come as source only. None where it cannot be made, which is told.
    """
    requirements = within / name / "requirements.txt"
    key = hashlib.sha256(requirements.read_bytes()).hexdigest()[:16]
    version = "{}.{}".format(*sys.version_info)
    home = ROOT / ".noria" / "bench" / f"{name}-{version}-{key}"
    found, ready = home / "bin" / "python", home / "ready"
    if ready.exists():
        return found
    uv = Path(sys.executable).with_name("uv")
    sources = [option for package in built for option in ("--no-binary", package)]
    try:
        _run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, home)
        _run(uv, "pip", "sync", "--quiet", "--python", found, "--require-hashes",
             "--only-binary", ":all:", *sources, "--compile-bytecode", requirements)  # fmt: skip
    except subprocess.CalledProcessError:
        shown = requirements.relative_to(ROOT)
        print(NOT_MADE.format(requirements=shown, version=version), file=sys.stderr)
        return None
    ready.touch()
    return found


def _run(*command: str | Path) -> None:
    subprocess.run(list(map(str, command)), env=bootstrap.environment(), check=True)
