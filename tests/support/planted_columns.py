"""Datasets in which the tests plant what the analysis is to find."""

from typing import Any

import numpy as np

from noria.core.data.dataset import MISSING_TIMESTAMP, Column, Dataset, Kind

START = 1_704_067_200  # Monday, 1 January 2024, 00:00 UTC
HOUR, DAY = 3600, 86400


def made(target: Any, classes: tuple[str, ...] = ("no", "yes"), **columns: Any) -> Dataset:
    """A dataset of training rows; texts are categories, int64 timestamps, the rest numbers.

    `times` is the event time.
    """
    times = columns.pop("times", None)
    arrays = {name: np.asarray(values) for name, values in columns.items()}
    return Dataset(
        columns=tuple(Column(name, kind_of(values)) for name, values in arrays.items()),
        data=arrays,
        target=np.asarray(target),
        classes=classes,
        holdout=np.zeros(len(np.asarray(target)), dtype=bool),
        event_time=times,
    )


def kind_of(values: Any) -> Kind:
    if values.dtype.kind == "U":
        return "category"
    return "timestamp" if values.dtype == np.int64 else "number"


def with_missing(values: Any, rows: Any) -> Any:
    """The values with those of the marked rows missing, as their kind marks it."""
    empty: dict[Kind, Any] = {"category": "", "timestamp": MISSING_TIMESTAMP, "number": np.nan}
    return np.where(rows, empty[kind_of(values)], values)


def noise(seed: int, rows: int = 2000, classes: int = 2) -> Dataset:
    """Columns of every kind, hourly, of which none has to do with another or with the target."""
    generator = np.random.default_rng(seed)
    drawn = generator.integers(0, classes, rows) if classes else generator.normal(size=rows)
    columns: dict[str, Any] = {f"n{i}": generator.normal(size=rows) for i in range(4)}
    columns |= {f"c{k}": generator.integers(0, k, rows).astype(str) for k in (2, 30, 1500)}
    columns["constant"], columns["one"] = np.full(rows, 3.0), np.full(rows, "x")
    columns["rare"] = np.where(np.arange(rows) % 700 == 1, "odd", "usual")
    columns["past"] = START - generator.integers(0, 10**7, rows)
    for name in ("n0", "c30", "past"):
        columns[name] = with_missing(columns[name], generator.random(rows) < 0.1)
    names = tuple(f"k{i}" for i in range(classes))
    return made(drawn, names, times=START + HOUR * np.arange(rows), **columns)
