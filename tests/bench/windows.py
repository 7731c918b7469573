"""History windows of many rows beside pandas' rolling windows.

python -m tests.bench.windows noria|pandas
"""

import json
import sys
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from noria.core.windows.tiles import NO_END, EntityRows, WindowAggregation, evaluate, to_tiles
from tests.bench.measuring import measure, median

ROWS, ENTITIES, SPAN = 1_000_000, 10_000, 365 * 86_400
WEEK = 7 * 86_400
NOTE = """\
Count, mean and maximum over the 7 days before, for each of {rows:,} rows of {entities:,} entities
in a year. Each line is a process of its own, medians of {repeat}; seconds are from arrays to
features. pandas is `groupby().rolling("7D", closed="left")`, once per function. It ends its windows
at the very row, Noria at whole tiles of 15 minutes, so a few answers differ."""


def compare(console: Console, repeat: int) -> None:
    """Measure, and print a table of ratios."""
    console.print(NOTE.format(rows=ROWS, entities=ENTITIES, repeat=repeat), highlight=False)
    runs = {
        name: [measure(["-m", "tests.bench.windows", name]) for _ in range(repeat)] for name in WAYS
    }
    figures = {
        name: (median(of, lambda run: run.found["seconds"]), median(of, lambda run: run.peak))
        for name, of in runs.items()
    }
    table = Table("", "s", "peak MB", "Noria takes", "of its memory")
    for name, (seconds, peak) in figures.items():
        ratios = [f"{a / b:.2f} x" for a, b in zip(figures["noria"], (seconds, peak), strict=True)]
        table.add_row(name, f"{seconds:.1f}", f"{peak:,.0f}", *ratios)
    console.print(table)
    counts = [runs[name][0].found["counted"] for name in WAYS]
    console.print(f"Rows counted in all windows: {counts[0]:,} and {counts[1]:,}.", highlight=False)


def _made() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(7)
    entity = generator.integers(0, ENTITIES, ROWS)
    moment = generator.integers(0, SPAN, ROWS)
    order = np.lexsort((moment, entity))
    return entity[order], moment[order], generator.normal(size=ROWS)


def _noria(entity: np.ndarray, moment: np.ndarray, value: np.ndarray) -> int:
    functions = ("count", "mean", "maximum")
    windows = [WindowAggregation(name=f, column="value", function=f, over=WEEK) for f in functions]
    rows = EntityRows(entity, moment, moment, np.full(ROWS, NO_END), value)
    tiles = {windows[0].group: to_tiles(rows, windows[0].tile, 0)}
    return int(evaluate(tiles, windows, entity, moment, 0)["count"].sum())


def _pandas(entity: np.ndarray, moment: np.ndarray, value: np.ndarray) -> int:
    frame = pd.DataFrame({"entity": entity, "at": pd.to_datetime(moment, unit="s"), "value": value})
    rolling = frame.groupby("entity").rolling("7D", on="at", closed="left")["value"]
    count, _mean, _most = rolling.count(), rolling.mean(), rolling.max()
    return int(count.sum())


WAYS: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray], int]] = {
    "noria": _noria,
    "pandas": _pandas,
}


def main(name: str) -> None:
    """Compute once, and print what it took as JSON."""
    given = _made()
    start = time.perf_counter()
    counted = WAYS[name](*given)
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "counted": counted}))


if __name__ == "__main__":
    main(sys.argv[1])
