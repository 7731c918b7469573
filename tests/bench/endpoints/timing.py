"""Times one way of serving, in this process; needs the standard library alone.

A script imports this module first, for the clock starts here, and calls `report` with its way:
FOLDER has the requests' rows in `rows.json`. What the way prints goes to FOLDER/NAME.log, as a
function's output goes to its log; the last line on the real standard output is the report.
"""

import time

BEGAN, BEGAN_CPU = time.perf_counter(), time.process_time()

import json  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
from collections.abc import Callable, Sequence  # noqa: E402
from dataclasses import dataclass  # noqa: E402
from typing import Any  # noqa: E402

WARM_UP, ONES, MANIES = 3, 200, 20
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Way:
    """How rows are asked for: only `ask` is timed, `prepare` and `scores` are the bench's own."""

    prepare: Callable[[Rows], Any]
    ask: Callable[[Any], Any]
    scores: Callable[[Any], list[float]]
    packages: Sequence[str]


def report(name: str, folder: str, serve: Callable[[str], Way]) -> None:
    """Load the way, ask it, and print the seconds, the peak in MiB and the scores as JSON.

    Processor seconds, of all threads, are what other processes on the machine change little.
    """
    shown = _redirected(os.path.join(folder, f"{name}.log"))
    with open(os.path.join(folder, "rows.json"), encoding="utf-8") as file:
        rows: Rows = json.load(file)
    way = serve(folder)
    answer = way.ask(way.prepare(rows[:1]))
    first, first_cpu = time.perf_counter() - BEGAN, time.process_time() - BEGAN_CPU
    way.scores(answer)
    ones = [_seconds(way, [rows[number % len(rows)]]) for number in range(WARM_UP + ONES)]
    manies = [_seconds(way, rows) for _ in range(WARM_UP + MANIES)]
    peak = _peak()
    import statistics  # not before: what is measured has not asked for them
    from importlib.metadata import version

    found = {
        "first": first,
        "first_cpu": first_cpu,
        "one": statistics.median(seconds for seconds, _, _ in ones[WARM_UP:]),
        "one_cpu": statistics.median(cpu for _, cpu, _ in ones[WARM_UP:]),
        "many": statistics.median(seconds for seconds, _, _ in manies[WARM_UP:]),
        "many_cpu": statistics.median(cpu for _, cpu, _ in manies[WARM_UP:]),
        "peak": peak,
        "asked": 1 + len(ones) + len(rows) * len(manies),
        "scores": manies[-1][2],
        "versions": {package: version(package) for package in way.packages},
    }
    sys.stdout.flush()
    os.write(shown, json.dumps(found).encode() + b"\n")


def _seconds(way: Way, rows: Rows) -> tuple[float, float, list[float]]:
    """Seconds on the wall and of the processor, and what was answered."""
    asked = way.prepare(rows)
    start, cpu = time.perf_counter(), time.process_time()
    answer = way.ask(asked)
    cpu, seconds = time.process_time() - cpu, time.perf_counter() - start
    return seconds, cpu, way.scores(answer)


def _redirected(path: str) -> int:
    """Send standard output to a file, a line at a time as Lambda does; give the real one."""
    real = os.dup(1)
    target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(target, 1)
    os.close(target)
    sys.stdout = open(1, "w", buffering=1, encoding="utf-8", closefd=False)  # noqa: SIM115
    return real


def _peak() -> float:
    """The most memory that this process had: on Linux since it was started, not its parent's."""
    try:
        with open("/proc/self/status", encoding="ascii") as file:
            lines = dict(line.split(":", 1) for line in file)
        return float(lines["VmHWM"].split()[0]) / 1024
    except FileNotFoundError:
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (2**20 if sys.platform == "darwin" else 2**10)
