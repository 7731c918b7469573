"""Point-in-time retrieval beside pandas `merge_asof` and Feast's local offline store."""

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from tests.bench import feast_peer
from tests.bench.environments import python_of
from tests.bench.measuring import Measured, measure, median

ROWS, ENTITIES, KEYS = 5_000_000, 1_000_000, 100_000
RUNS = 10
# What Feast held at once for these rows, and with it at a fifth of them.
FEAST_BYTES, SMALLER = 12 * 2**30, 5
NORIA, PANDAS = "tests.bench.features", str(Path(__file__).with_name("plain_features.py"))
NOTE = """\
The features of {entities:,} requests from {rows:,} rows of {keys:,} entities (five doubles a row,
one Parquet file) as of each request's own time; 1,000 rows have the entity and event time of
another and were created later, a few tie by chance in both times. Each line is a process of its
own, medians of {repeat}, Feast once. Seconds are from the files to the features, imports left out;
CPU and peak are the whole process's. Noria fetches the file from its bucket (a folder here), checks
its SHA-256 and sees neither event nor created times that lie ahead. pandas sorts stably by event
and created time and joins by event time alone. Feast's offline store is its default (`file`), with
its own defaults."""


@dataclass(frozen=True)
class Size:
    """How much is asked of how much."""

    rows: int
    entities: int
    keys: int

    @property
    def arguments(self) -> list[str]:
        """As `tests.bench.features` takes them."""
        return [str(self.rows), str(self.entities), str(self.keys)]


FULL = Size(ROWS, ENTITIES, KEYS)
SMALL = Size(ROWS // SMALLER, ENTITIES // SMALLER, KEYS // SMALLER)


def compare(console: Console, repeat: int) -> None:
    """Measure, and print a table of ratios."""
    console.print(
        NOTE.format(rows=ROWS, entities=ENTITIES, keys=KEYS, repeat=repeat), highlight=False
    )
    feast = python_of("feast")
    whole = _memory() >= FEAST_BYTES
    _compare(console, FULL, repeat, feast if whole else None)
    if feast is not None and not whole:
        console.print(f"Too little memory is free here for Feast: at a {SMALLER}th of the size.")
        _compare(console, SMALL, repeat, feast)


def _compare(console: Console, size: Size, repeat: int, feast: Path | None) -> None:
    with tempfile.TemporaryDirectory(prefix="noria-bench-") as home:
        folder = Path(home)
        made = measure(["-m", NORIA, home, "make", *size.arguments])
        noria = [measure(["-m", NORIA, home, "retrieve", "1"]) for _ in range(repeat)]
        pandas = [measure([PANDAS, home]) for _ in range(repeat)]
        lines = {"pandas": pandas}
        if feast is not None:
            asked = [feast_peer.RETRIEVE, home]
            lines["feast"] = [measure(asked, feast, feast_peer.SETTINGS)]
        table = _table(noria, lines)
        told = [_difference(folder, name) for name in lines]
        again = measure(["-m", NORIA, home, "retrieve", str(RUNS)])
    console.print(table)
    console.print("\n".join(told), highlight=False)
    console.print(
        f"{RUNS} retrievals in a row gave {len(again.found['checksums'])} checksum; "
        f"writing {made.found['rows']:,} rows took {made.found['seconds']:.1f} s.",
        highlight=False,
    )


def _table(noria: Sequence[Measured], peers: dict[str, Sequence[Measured]]) -> Table:
    table = Table("", "s", "CPU s", "peak MB", "Noria takes", "of its CPU", "of its memory")
    ours = _figures(noria)
    table.add_row("Noria", *_shown(ours))
    for name, runs in peers.items():
        theirs = _figures(runs)
        ratios = (f"{mine / other:.3f} x" for mine, other in zip(ours, theirs, strict=True))
        table.add_row(name, *_shown(theirs), *ratios)
    return table


def _figures(runs: Sequence[Measured]) -> tuple[float, float, float]:
    return (
        median(runs, lambda run: run.found["seconds"]),
        median(runs, lambda run: run.found["cpu"]),
        median(runs, lambda run: run.peak),
    )


def _shown(figures: tuple[float, float, float]) -> tuple[str, str, str]:
    seconds, cpu, peak = figures
    return f"{seconds:.1f}", f"{cpu:.1f}", f"{peak:,.0f}"


def _difference(folder: Path, peer: str) -> str:
    """Say how many requests a peer answers otherwise; without it the figures would say nothing."""
    ours, theirs = _answers(folder, "noria"), _answers(folder, peer)
    same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    count = int((~same).any(axis=1).sum())
    return f"{peer} answers {count:,} of {len(ours):,} requests otherwise than Noria."


def _answers(folder: Path, name: str) -> Any:
    return np.load(folder / f"{name}.npy")


def _memory() -> int:
    """Bytes of memory that are free now, 0 where the system does not say."""
    if "SC_AVPHYS_PAGES" not in os.sysconf_names:
        return 0
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
