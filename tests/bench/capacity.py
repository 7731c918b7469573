"""How many rows a Lambda takes: stages at several sizes, a line through them, its end.

Each stage is a process that imports its function's layers and nothing else, as on Lambda; sizes
are MONTHS=3,6,12,24,48 of the flights with weather, planes and airlines, by the shipped contract.
"""

import os
import statistics
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from infra.packaging.assets import build_layers, build_runtime, functions_asset
from tests.bench.measuring import CALM, Measured, measure

NOTE = """\
Peaks and seconds of whole processes, imports included; flights joined with weather, planes and
airlines ({columns}). Each line is fitted through all sizes; `off` is the largest distance of a
size from it. The last columns are the rows where it reaches {memory:.0%} of the memory (columns
differ from problem to problem) or {time:.0%} of the 900 seconds (Lambda's ARM cores are not this
machine's, and S3 is a folder here), in millions. Stages run with 3,008 MB, the most that new
accounts get; threads that wait do not spin (OMP_WAIT_POLICY=PASSIVE)."""
COLUMNS = "42 columns"
LAYER_OF = {"collect:flights": "data", "transform": "data", "analyse": "model"}
OTHERS = ("collect:weather", "collect:planes", "collect:airlines")
STAGE = str(Path(__file__).with_name("stage.py"))
SECONDS, MEMORY_SHARE, TIME_SHARE = 900, 0.7, 0.5
CONFIGURED, LARGEST = 3008, 10_240  # MB


@dataclass(frozen=True)
class Point:
    """A stage at one size."""

    rows: int
    peak: float
    seconds: float


@dataclass(frozen=True)
class Line:
    """A straight line through measurements: what is there at the start, and per row."""

    start: float
    per_row: float
    off: float

    @classmethod
    def through(cls, rows: Sequence[int], values: Sequence[float]) -> "Line":
        """Fit by least squares; `off` is the largest deviation as a share of the value."""
        fitted = statistics.linear_regression(rows, values)
        line = cls(fitted.intercept, fitted.slope, 0)
        off = [abs(line.at(n) / v - 1) for n, v in zip(rows, values, strict=True)]
        return cls(fitted.intercept, fitted.slope, max(off))

    def at(self, rows: int) -> float:
        """The value at so many rows."""
        return self.start + self.per_row * rows

    def rows_at(self, value: float) -> float:
        """The rows at which it reaches a value: none where the start is beyond, else no end."""
        if self.start >= value:
            return 0
        return (value - self.start) / self.per_row if self.per_row > 0 else float("inf")


def measure_stages(console: Console, repeat: int) -> None:
    """Measure the stages at each size; print the points, the lines and the rows that follow."""
    months = [int(size) for size in os.environ.get("MONTHS", "3,6,12,24,48").split(",")]
    paths = import_paths()  # once: sizes must not differ in the code that they measure
    runs = [_run(size, paths) for size in months for _ in range(repeat)]
    points = {stage: _medians(run[stage] for run in runs) for stage in LAYER_OF}
    console.print(NOTE.format(columns=COLUMNS, memory=MEMORY_SHARE, time=TIME_SHARE))
    console.print(_measured(points))
    lines = {stage: _lines(found) for stage, found in points.items()}
    console.print(_fitted(lines))
    for memory in (CONFIGURED, LARGEST):
        rows = {stage: capacity(*pair, memory) for stage, pair in lines.items()}
        least = min(rows, key=lambda stage: rows[stage])
        console.print(
            f"With {memory:,} MB: {rounded_down(rows[least]):,} rows, bounded by {least}.",
            highlight=False,
        )


def capacity(peak: Line, seconds: Line, memory: float) -> float:
    """The rows at which memory or time, less their margins, are used up."""
    return min(peak.rows_at(memory * MEMORY_SHARE), seconds.rows_at(SECONDS * TIME_SHARE))


def rounded_down(rows: float) -> int:
    """One significant digit, never more than it was."""
    unit = int(10 ** (len(str(int(rows))) - 1))
    return int(rows) // unit * unit


def _run(months: int, paths: Mapping[str, str]) -> dict[str, tuple[int, Measured]]:
    """All stages once, in a bucket of their own; rows are those of the flights collected."""
    with tempfile.TemporaryDirectory(prefix="noria-bench-") as folder:
        measure(["-m", "tests.bench.flights", folder, str(months)])
        stages = {"collect:flights": run_stage(folder, paths["data"], "collect:flights")}
        run_stage(folder, paths["data"], *OTHERS)
        for name in ("transform", "analyse"):
            stages[name] = run_stage(folder, paths[LAYER_OF[name]], name)
        rows = stages["collect:flights"].found["stages"]["collect:flights"]["rows"]
    return {name: (rows, found) for name, found in stages.items()}


def import_paths() -> dict[str, str]:
    """Per layer, what a function imports from: its code, its layers, and Lambda's runtime."""
    layers, functions, runtime = build_layers("host"), functions_asset().path, build_runtime()
    code = {
        name: [functions, layers[name] / "python", layers["noria"] / "python"]
        for name in set(LAYER_OF.values())
    }
    joined = {name: os.pathsep.join(map(str, folders)) for name, folders in code.items()}
    return {name: f"{folders}|{runtime / 'python'}" for name, folders in joined.items()}


def run_stage(folder: str, path: str, *names: str) -> Measured:
    """A process that imports from a path and nothing else."""
    return measure(["-I", "-S", STAGE, "--path", path, folder, *names], variables=CALM)


def _medians(runs: Iterable[tuple[int, Measured]]) -> list[Point]:
    by_rows: dict[int, list[Measured]] = {}
    for rows, measured in runs:
        by_rows.setdefault(rows, []).append(measured)
    return [
        Point(
            rows,
            statistics.median(run.peak for run in found),
            statistics.median(run.seconds for run in found),
        )
        for rows, found in sorted(by_rows.items())
    ]


def _lines(points: Sequence[Point]) -> tuple[Line, Line]:
    rows = [point.rows for point in points]
    return (
        Line.through(rows, [point.peak for point in points]),
        Line.through(rows, [point.seconds for point in points]),
    )


def _measured(points: Mapping[str, Sequence[Point]]) -> Table:
    table = Table("rows", *(f"{_short(stage)} {unit}" for stage in points for unit in ("MB", "s")))
    for row in zip(*points.values(), strict=True):
        cells = [cell for p in row for cell in (f"{p.peak:,.0f}", f"{p.seconds:.1f}")]
        table.add_row(f"{row[0].rows:,}", *cells)
    return table


def _fitted(lines: Mapping[str, tuple[Line, Line]]) -> Table:
    limits = (f"{CONFIGURED:,} MB", f"{LARGEST:,} MB", f"{SECONDS} s")
    table = Table("", "MB at 0", "MB a million", "off", "s a million", "off", *limits)
    for stage, (peak, seconds) in lines.items():
        rows = [peak.rows_at(memory * MEMORY_SHARE) for memory in (CONFIGURED, LARGEST)]
        rows.append(seconds.rows_at(SECONDS * TIME_SHARE))
        table.add_row(
            _short(stage),
            f"{peak.start:,.0f}",
            f"{peak.per_row * 1e6:,.0f}",
            f"{peak.off:.0%}",
            f"{seconds.per_row * 1e6:.1f}",
            f"{seconds.off:.0%}",
            *(f"{number / 1e6:.2f}" for number in rows),
        )
    return table


def _short(stage: str) -> str:
    return stage.partition(":")[0]
