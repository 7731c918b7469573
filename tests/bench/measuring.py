"""Measuring whole processes: from their start to their end, imports included."""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Measured:
    """A process that ran: its wall-clock seconds and the document it printed."""

    seconds: float
    found: dict[str, Any]


def measure(command: Sequence[str]) -> Measured:
    """Run this interpreter with arguments; its last line is a JSON document."""
    start = time.monotonic()
    done = subprocess.run([sys.executable, *command], stdout=subprocess.PIPE, text=True, check=True)
    seconds = time.monotonic() - start
    return Measured(seconds, json.loads(done.stdout.splitlines()[-1]))


def median(runs: Sequence[Measured], of: Callable[[Measured], float]) -> float:
    """The median over repetitions."""
    return statistics.median(of(run) for run in runs)
