"""ydata-profiling's own environment below .noria/bench: pandas 2, from hash-locked wheels."""

import hashlib
import subprocess
import sys
from pathlib import Path

from infra.packaging import bootstrap

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).with_name("ydata")
REQUIREMENTS = FOLDER / "requirements.txt"
NOT_MADE = """\
ydata-profiling's environment cannot be made under Python {version} (its message is above; it takes
3.13 or older, and the network the first time): measured without it."""
REPORT = FOLDER / "report.py"
# It would report its use to its makers, draw bars, and warn of its successor.
SETTINGS = {
    "YDATA_PROFILING_NO_ANALYTICS": "true",
    "TQDM_DISABLE": "1",
    "PYTHONWARNINGS": "ignore",
}


def python() -> Path | None:
    """The environment's Python, made where it is missing; None where that fails, which is told."""
    version = "{}.{}".format(*sys.version_info)
    key = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:16]
    home = ROOT / ".noria" / "bench" / f"ydata-{version}-{key}"
    found, ready = home / "bin" / "python", home / "ready"
    if ready.exists():
        return found
    uv = Path(sys.executable).with_name("uv")
    try:
        _run(uv, "venv", "--quiet", "--clear", "--python", sys.executable, home)
        _run(uv, "pip", "sync", "--quiet", "--python", found, "--require-hashes",
             "--only-binary", ":all:", "--compile-bytecode", REQUIREMENTS)  # fmt: skip
    except subprocess.CalledProcessError:
        print(NOT_MADE.format(version=version), file=sys.stderr)
        return None
    ready.touch()
    return found


def _run(*command: str | Path) -> None:
    subprocess.run(list(map(str, command)), env=bootstrap.environment(), check=True)
