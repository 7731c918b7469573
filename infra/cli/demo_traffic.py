"""Live traffic made from the flights of a month: what a caller knows, and later what came true."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from noria.contracts import Problem
from noria.core.cleansing.joins import join_sources
from noria.core.cleansing.target import target_columns, target_values
from noria.core.column_types.type_inference import typed_column
from noria.core.ingestion.raw_text import values_as_text
from noria.core.ingestion.readers import read_table


@dataclass(frozen=True)
class DemoTraffic:
    """Requests in time order, with each one's label (None where it was never known)."""

    rows: list[dict[str, Any]]
    labels: list[str | None]


def make_traffic(
    problem: Problem,
    files: Mapping[str, Path],
    fields: Sequence[Mapping[str, Any]],
    *,
    most: int,
    seed: int,
) -> DemoTraffic:
    """Join a sample of a month's flights with what is known at departure.

    `fields` are the model's inputs (name and type); nothing else is sent.
    """
    frames = {name: read_table(path.read_bytes(), path.name) for name, path in files.items()}
    primary = frames[problem.primary.name]
    chosen = np.sort(np.random.default_rng(seed).permutation(len(primary))[:most])
    frames[problem.primary.name] = primary.iloc[chosen]
    joined = join_sources(frames, problem)
    read = {name: typed_column(joined[name]) for name in target_columns(problem)}
    labels = target_values(joined, problem, read)
    order = joined[problem.event_time_column].argsort() if problem.event_time_column else None
    if order is not None:
        joined, labels = joined.iloc[order], labels.iloc[order]
    return DemoTraffic(
        request_rows(joined, fields), [None if pd.isna(label) else str(label) for label in labels]
    )


def request_rows(joined: pd.DataFrame, fields: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Write the model's fields as a request carries them; what is missing is null."""
    columns = {str(f["name"]): _values(joined[f["name"]], str(f["type"])) for f in fields}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _values(column: "pd.Series[Any]", kind: str) -> Iterable[Any]:
    if kind == "number":
        numbers = pd.to_numeric(column, errors="coerce").astype("float64")
        return [None if np.isnan(value) else value for value in numbers.tolist()]
    if kind == "timestamp":
        times = pd.to_datetime(column, utc=True).dt.strftime("%Y-%m-%dT%H:%M:%SZ")
        return [None if pd.isna(value) else value for value in times]
    return [None if pd.isna(value) else str(value) for value in values_as_text(column)]
