"""The metric per slice of the holdout, against the floors of the contract."""

from collections.abc import Iterator, Mapping

import numpy as np
from pydantic import BaseModel, ConfigDict

from noria.common.arrays import Array
from noria.contracts import Problem
from noria.core.statistics import metrics
from noria.errors import DataError

FEW_NUMBERS = 10  # numbers with more values than this go by quarters


class SliceResult(BaseModel):
    """The metric where a column has one value; `met` is None where it is not judged."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    value: str
    rows: int
    score: float | None
    floor: float | None
    met: bool | None
    note: str = ""


def slice_results(
    problem: Problem, y: Array, columns: Mapping[str, Array], prediction: Array
) -> list[SliceResult]:
    """Measure the most frequent values of every given column.

    As many as `evaluation.slice_values`, judged with `evaluation.slice_rows` rows or more.
    DataError when a column with a floor is absent.
    """
    floors = {one.column: one.floor for one in problem.objective.slices}
    for name in floors:
        if name not in columns:
            raise DataError(
                f"objective.slices: column {name!r} is not among the holdout's columns "
                f"({', '.join(columns) or 'none'}): keep it in the features or drop the slice"
            )
    return [
        _measure(problem, name, value, y[rows], prediction[rows], floors.get(name))
        for name, values in columns.items()
        for value, rows in _groups(np.asarray(values), problem.evaluation.slice_values)
    ]


def _measure(
    problem: Problem, column: str, value: str, y: Array, prediction: Array, floor: float | None
) -> SliceResult:
    metric, fewest = problem.objective.measure, problem.evaluation.slice_rows
    score, note = None, ""
    try:
        score = metrics.score(metric, y, prediction)
    except DataError as error:
        note = str(error)
    met = None
    if floor is not None and score is not None:
        met = metrics.meets(metric, score, floor)
        if len(y) < fewest:
            met, note = None, f"not judged: fewer than {fewest} rows"
    return SliceResult(
        column=column, value=value, rows=len(y), score=score, floor=floor, met=met, note=note
    )


def _groups(values: Array, most: int) -> Iterator[tuple[str, Array]]:
    """Yield the rows of each value; numbers with many values by quarter."""
    if values.dtype.kind in "fi" and len(np.unique(values[~_unknown(values)])) > FEW_NUMBERS:
        yield from _quarters(values)
        return
    distinct, codes, counts = np.unique(_texts(values), return_inverse=True, return_counts=True)
    for code in np.argsort(-counts, kind="stable")[:most]:
        yield str(distinct[code]), codes == code


def _quarters(values: Array) -> Iterator[tuple[str, Array]]:
    known = ~_unknown(values)
    edges = np.unique(np.quantile(values[known], (0, 0.25, 0.5, 0.75, 1)))
    bins = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    for index in range(len(edges) - 1):
        rows = known & (bins == index)
        if rows.any():
            yield f"{edges[index]:g} to {edges[index + 1]:g}", rows
    if not known.all():
        yield "missing", ~known


def _unknown(values: Array) -> Array:
    return np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), dtype=bool)


def _texts(values: Array) -> Array:
    if values.dtype.kind == "f":
        return np.array(["missing" if np.isnan(v) else f"{v:g}" for v in values.tolist()])
    return np.array([text or "missing" for text in values.astype(np.str_).tolist()])
