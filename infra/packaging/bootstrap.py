"""Make .venv from requirements.lock; run by `make setup` with any Python, so it imports only that.

A second run finds the stamp of the same lock and leaves at once.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NoReturn, Union

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
BIN = VENV / "bin"
LOCK = ROOT / "requirements.lock"
STAMP = VENV / "setup.key"
OLDEST = (3, 11)
VERSION = "{}.{}".format(*sys.version_info)
IMPORT_ROOTS = (ROOT, ROOT / "layers" / "noria" / "python")
LAUNCHER = """#!{python}
import sys

from infra.cli.main import app

sys.exit(app())
"""


def main() -> None:
    if STAMP.is_file() and STAMP.read_text() == key() and runs(BIN / "python"):
        return
    run_with_new_enough_python()
    say("Setting up .venv (some minutes the first time, seconds from then on)")
    make_venv()
    install_uv()
    install_everything()
    expose_our_code()
    STAMP.write_text(key())
    say("Ready: .venv/bin/noria")


def key() -> str:
    """Changes with the lock, with this script, and when the folder moves."""
    digest = hashlib.sha256(str(ROOT).encode())
    for file in (LOCK, Path(__file__)):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def run_with_new_enough_python() -> None:
    """Carry on under a newer Python of this machine if this one is too old."""
    if sys.version_info >= OLDEST:
        return
    for minor in (13, 12, 14, 11):
        other = shutil.which(f"python3.{minor}")
        if other and runs(Path(other)):
            os.execv(other, [other, str(Path(__file__))])  # noqa: S606
    fail(
        f"Python {VERSION} is too old: Noria needs 3.11 or newer.",
        "Install one (Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python)"
        " and name it: make setup PYTHON=/path/to/python3.13",
    )


def make_venv() -> None:
    if runs(BIN / "python") and (BIN / "uv").exists():
        return
    try:
        import ensurepip
        import venv
    except ImportError:
        fail(
            "This Python lacks its venv module (Debian and Ubuntu package it apart).",
            f"Get it with: apt install python{VERSION}-venv",
        )
    say(f"  environment: Python {VERSION}")
    venv.EnvBuilder(clear=True, with_pip=bool(ensurepip.version()), symlinks=True).create(VENV)


def install_uv() -> None:
    """By pip, with the lock's hashes; uv installs the rest many times faster."""
    if runs(BIN / "uv"):
        return
    wanted = re.findall(r"^uv==.*?(?=^\S)", LOCK.read_text() + "\nend", re.M | re.S)[0]
    requirements = VENV / "uv.txt"
    requirements.write_text(wanted)
    say("  uv")
    call(BIN / "python", "-m", "pip", "install", "--quiet", "--require-hashes", "-r", requirements)


def install_everything() -> None:
    say("  dependencies")
    call(
        *(BIN / "uv", "pip", "sync", "--quiet", "--python", BIN / "python"),
        *("--require-hashes", "--build-constraints", LOCK, "--compile-bytecode", LOCK),
    )


def expose_our_code() -> None:
    """The CLI, and a path file so that infra, functions and noria can be imported."""
    (packages,) = VENV.glob("lib/python3*/site-packages")
    (packages / "noria.pth").write_text("".join(f"{root}\n" for root in IMPORT_ROOTS))
    launcher = BIN / "noria"
    launcher.write_text(LAUNCHER.format(python=BIN / "python"))
    launcher.chmod(0o755)


def call(*command: Union[str, Path]) -> None:  # noqa: UP007  (this file also parses on old Pythons)
    shown = " ".join(map(str, command))
    status = subprocess.run(command, env=environment(), check=False).returncode
    if status:
        fail(
            f"Failed (status {status}): {shown}",
            "Its message is above. Behind a proxy, or where packages come from an index of your",
            "own, set PIP_INDEX_URL (and PIP_CERT) and run make setup again.",
        )


def environment() -> "dict[str, str]":
    """Bytecode is wanted here; uv follows pip's settings where it does not read them itself."""
    dropped = {"PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "VIRTUAL_ENV"}
    variables = {name: value for name, value in os.environ.items() if name not in dropped}
    variables.setdefault("UV_HTTP_TIMEOUT", "300")
    if "PIP_INDEX_URL" in variables:
        variables.setdefault("UV_DEFAULT_INDEX", variables["PIP_INDEX_URL"])
    if "PIP_CERT" in variables:
        variables.setdefault("SSL_CERT_FILE", variables["PIP_CERT"])
    return variables


def runs(program: Path) -> bool:
    try:
        return (
            subprocess.run(
                [str(program), "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            ).returncode
            == 0
        )
    except OSError:
        return False


def say(line: str) -> None:
    print(line, flush=True)


def fail(*lines: str) -> NoReturn:
    print(*lines, sep="\n", file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    main()
