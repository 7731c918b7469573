"""Measuring whole processes: from their start to their end, imports included."""

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Kilobytes on Linux, bytes on macOS.
MAXRSS_PER_MB = 2**20 if sys.platform == "darwin" else 2**10
ROOT = Path(__file__).parents[2]
NOTHING: Mapping[str, str] = {}
# OpenMP threads that wait do not spin: where another process wants the core, spinning multiplies
# what is measured (20 s instead of 2 s). On an idle machine it costs a fifth.
CALM = {"OMP_WAIT_POLICY": "PASSIVE"}


@dataclass(frozen=True)
class Measured:
    """A process that ran: its wall-clock seconds, its peak in MiB and the document it printed.

    `cpu` has the seconds that its threads worked, which other processes beside it change little.
    """

    seconds: float
    peak: float
    found: dict[str, Any]
    cpu: float = 0.0


def measure(
    command: Sequence[str],
    python: Path | None = None,
    variables: Mapping[str, str] = NOTHING,
    root: Path = ROOT,
) -> Measured:
    """Run this interpreter (or another) with arguments; its last line is a JSON document.

    It has this process's variables and those given; one that is given as empty is left out.

    It runs in `root`, whose packages it then imports: another checkout, or this one.

    The peak is `ru_maxrss`, which on Linux a child begins with its parent's: where it is not above
    this process's own it is unknown (NaN). So big work belongs in processes of its own.
    """
    start = time.monotonic()
    process = subprocess.Popen(
        [str(python or sys.executable), *command],
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
        env={name: value for name, value in {**_environment(), **variables}.items() if value},
    )
    assert process.stdout is not None
    with process.stdout:
        output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    peak = usage.ru_maxrss / MAXRSS_PER_MB if usage.ru_maxrss > own else float("nan")
    found = json.loads(output.splitlines()[-1])
    return Measured(seconds, peak, found, usage.ru_utime + usage.ru_stime)


def median(runs: Sequence[Measured], of: Callable[[Measured], float]) -> float:
    """The median over repetitions."""
    return statistics.median(of(run) for run in runs)


def _environment() -> dict[str, str]:
    """Bytecode is written and read, as where packages are installed for use."""
    dropped = {"PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "VIRTUAL_ENV"}
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return kept | {"ORT_DISABLE_TELEMETRY": "1"}  # ONNX Runtime would send usage data
