"""Collect, cleanse and analyse a year of flights, beside a plain script and ydata-profiling."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench import ydata_peer
from tests.bench.environments import python_of
from tests.bench.measuring import CALM, Measured, measure, median

NOTE = """\
All flights of 2013 (336,776 rows in twelve CSV files), joined with the weather as of the hour. Each
line is a process of its own, medians of {repeat}; threads that wait do not spin. Peaks are resident
memory with libraries, those of Noria's parts the process's so far. The last columns say how many
times what the line takes Noria takes: whole processes, its like part (imports left out), peaks.

Noria reads, types and checks every file, keeps the parts, joins, infers types, spellings and times,
judges rows by the contract, drops columns, flags outliers, stores what is clean, quarantined and
the dataset with its holdout, profiles columns, relations, redundancy, leakage, drift and time,
scores baselines, the rule and a quick model (bootstrap, permutations), decides and renders.
The plain script knows its files: it reads, joins and applies the same rules, and writes accepted,
quarantined (with the rules that each row broke) and flagged rows. It infers and analyses nothing.
ydata-profiling describes each column of the table that was joined before (minimal: neither
correlations nor interactions) and renders; it neither joins nor cleanses, and knows no target."""
SOURCES = ("flights", "weather")
CLEANSING, ANALYSING = ("collect:flights", "collect:weather", "transform"), ("analyse",)
STAGE, PLAIN = "tests.bench.stage", str(Path(__file__).with_name("plain_cleansing.py"))


@dataclass(frozen=True)
class Line:
    """A row of the table: seconds of the whole process, without its imports, and MiB."""

    name: str
    whole: float | None
    seconds: float
    peak: float


def compare(console: Console, repeat: int) -> None:
    """Measure, and print a table of ratios."""
    python = python_of("ydata")
    noria, plain, ydata = [], [], []
    for _ in range(repeat):
        with tempfile.TemporaryDirectory(prefix="noria-bench-") as folder:
            measure(["-m", "tests.bench.flights", folder, "12", *SOURCES])
            measure([PLAIN, folder, "join"])
            noria.append(measure(["-m", STAGE, folder, *CLEANSING, *ANALYSING], variables=CALM))
            plain.append(measure([PLAIN, folder, "cleanse"]))
            if python is not None:
                ydata.append(
                    measure([str(ydata_peer.REPORT), folder], python, CALM | ydata_peer.SETTINGS)
                )
    console.print(NOTE.format(repeat=repeat), highlight=False)
    console.print(_table(noria, plain, ydata))
    console.print(_agreement(noria[-1], plain[-1]), highlight=False)


def _table(
    noria: Sequence[Measured], plain: Sequence[Measured], ydata: Sequence[Measured]
) -> Table:
    whole = _line("Noria", noria)
    cleansing = _part("  collect, cleanse", noria, CLEANSING)
    analysing = _part("  analyse, decide, report", noria, ANALYSING)
    script = _line("plain script", plain)
    table = Table("", "s", "without imports", "peak MB", "x whole", "x like part", "x memory")
    for line in (whole, cleansing, analysing):
        table.add_row(*_cells(line), "", "", "")
    table.add_row(*_cells(script), *_ratios(whole, cleansing, script))
    if ydata:
        report = _line("ydata-profiling, minimal", ydata)
        table.add_row(*_cells(report), *_ratios(whole, analysing, report))
        both = Line("script, then ydata", _sum(script.whole, report.whole),
                    script.seconds + report.seconds, max(script.peak, report.peak))  # fmt: skip
        table.add_row(*_cells(both), *_ratios(whole, whole, both))
    return table


def _line(name: str, runs: Sequence[Measured]) -> Line:
    return Line(
        name,
        median(runs, lambda run: run.seconds),
        median(runs, lambda run: run.found["seconds"]),
        median(runs, lambda run: run.peak),
    )


def _part(name: str, runs: Sequence[Measured], stages: Sequence[str]) -> Line:
    """Some stages of a process; the peak is the process's own at their end."""

    def of(field: str) -> Callable[[Measured], list[float]]:
        return lambda run: [run.found["stages"][stage][field] for stage in stages]

    seconds, peaks = of("seconds"), of("peak")
    return Line(
        name,
        None,
        median(runs, lambda run: sum(seconds(run))),
        median(runs, lambda run: max(peaks(run))),
    )


def _sum(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else first + second


def _cells(line: Line) -> tuple[str, ...]:
    whole = "" if line.whole is None else f"{line.whole:.1f}"
    return line.name, whole, f"{line.seconds:.1f}", f"{line.peak:,.0f}"


def _ratios(noria: Line, like: Line, other: Line) -> tuple[str, ...]:
    """Noria's whole processes against another's, its like part without imports, its memory."""
    assert noria.whole is not None
    assert other.whole is not None
    return (
        f"{noria.whole / other.whole:.2f} x",
        f"{like.seconds / other.seconds:.2f} x",
        f"{noria.peak / other.peak:.2f} x",
    )


def _agreement(noria: Measured, plain: Measured) -> str:
    """Say whether both sides did the same to the rows: otherwise the figures say nothing."""
    ours = noria.found["stages"]["transform"]
    same = all(ours[name] == plain.found[name] for name in ("rows", "quarantined"))
    told = f"{ours['rows']:,} rows accepted, {ours['quarantined']:,} quarantined"
    if same:
        return f"Noria and the plain script agree: {told}."
    return (
        f"NOT COMPARABLE: Noria has {told}, the plain script {plain.found['rows']:,} and "
        f"{plain.found['quarantined']:,}."
    )
