"""Collecting and cleansing beside an earlier commit's: what reading without loss costs.

`BASELINE` names the commit (by default the last one whose readers parsed first and asked later).
"""

import os
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.measuring import CALM, ROOT, Measured, measure, median

BASELINE = "57547ab91e"
LIMIT = 1.2
NOTE = """\
The flights of 2013 (336,776 rows in twelve CSV files) and the weather, collected, joined and
cleansed by this checkout and by commit {commit}, in turns. Whole processes, medians of {repeat};
CPU seconds are those of all threads, peaks are resident memory with libraries. At most {limit:g}
times the seconds, and no more memory, is what is wanted."""
SOURCES = ("flights", "weather")
STAGES = ("collect:flights", "collect:weather", "transform")


def compare(console: Console, repeat: int) -> None:
    """Measure both, and print a table of ratios."""
    commit = os.environ.get("BASELINE", BASELINE)
    with tempfile.TemporaryDirectory(prefix="noria-bench-") as folder:
        before = Path(folder) / "before"
        if not _checked_out(commit, before):
            console.print(f"commit {commit} is not in this checkout's history: set BASELINE")
            return
        here, there = [], []
        for turn in range(repeat):
            here.append(_collected(Path(folder) / f"here-{turn}", ROOT))
            there.append(_collected(Path(folder) / f"there-{turn}", before))
    console.print(NOTE.format(commit=commit, repeat=repeat, limit=LIMIT), highlight=False)
    console.print(_table(here, there))


def _checked_out(commit: str, folder: Path) -> bool:
    """Write a commit's files to a folder of their own."""
    packed = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True)
    if packed.returncode:
        return False
    folder.mkdir()
    subprocess.run(["tar", "-x"], cwd=folder, input=packed.stdout, check=True)
    return True


def _collected(bucket: Path, root: Path) -> Measured:
    measure(["-m", "tests.bench.flights", str(bucket), "12", *SOURCES])
    variables = {**CALM, "PYTHONPATH": str(root / "layers" / "noria" / "python")}
    return measure(["-m", "tests.bench.stage", str(bucket), *STAGES], None, variables, root)


def _table(here: Sequence[Measured], there: Sequence[Measured]) -> Table:
    table = Table("", "before", "now", "times")
    kinds: dict[str, Callable[[Measured], float]] = {
        "seconds": lambda run: run.seconds,
        "CPU seconds": lambda run: run.cpu,
        "peak, MiB": lambda run: run.peak,
        **{f"{stage}, seconds": _seconds_of(stage) for stage in STAGES},
    }
    for name, of in kinds.items():
        before, now = median(there, of), median(here, of)
        table.add_row(name, f"{before:.1f}", f"{now:.1f}", f"{now / before:.2f}")
    return table


def _seconds_of(stage: str) -> Callable[[Measured], float]:
    return lambda run: float(run.found["stages"][stage]["seconds"])
