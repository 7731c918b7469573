"""The metric per slice of the holdout, against the floors of the contract."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from pydantic import BaseModel, ConfigDict

from noria.common.arrays import Array
from noria.contracts import Problem
from noria.core.data.dataset import MISSING_TIMESTAMP
from noria.core.statistics import metrics
from noria.core.statistics.association import holm
from noria.core.statistics.resampled_scores import drawn_counts, resampled_scores
from noria.errors import DataError

MOST_TRIED, RESAMPLES = 20, 100  # slices whose lag is tested, each on so many resamples
OF_ONE_CLASS = ("accuracy", "log_loss")  # say something of rows of one class
FEW_NUMBERS = 10  # numbers with more values than this go by quarters


class SliceResult(BaseModel):
    """The metric where a column has one value; `met` is None where it is not judged.

    `p_value` is that of being worse than all rows, corrected after Holm for all measured slices;
    None where the slice is not measured, or not among those that lag most.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    value: str
    rows: int
    score: float | None
    floor: float | None
    met: bool | None
    note: str = ""
    p_value: float | None = None


@dataclass(frozen=True)
class _Slice:
    """Rows of one value of a column."""

    column: str
    value: str
    y: Array
    prediction: Array


def slice_results(
    problem: Problem, y: Array, columns: Mapping[str, Array], prediction: Array, seed: int = 0
) -> list[SliceResult]:
    """Measure the most frequent values of every given column.

    As many as `evaluation.slice_values`, of those with `evaluation.slice_rows` rows or more.
    DataError when a column with a floor is absent.
    """
    floors = {one.column: one.floor for one in problem.objective.slices}
    for name in floors:
        if name not in columns:
            raise DataError(
                f"objective.slices: column {name!r} is not among the judged rows' columns "
                f"({', '.join(columns) or 'none'}): start a new run, which keeps it, or drop the "
                "slice"
            )
    slices = [
        _Slice(name, value, y[rows], prediction[rows])
        for name, values in columns.items()
        for value, rows in groups_of(np.asarray(values), problem.evaluation.slice_values)
    ]
    found = [_measure(problem, one, floors.get(one.column)) for one in slices]
    whole = metrics.score(problem.objective.measure, y, prediction)
    chances = _chances(problem.objective.measure, whole, slices, found, seed)
    return [
        one.model_copy(update={"p_value": chances.get(place)}) for place, one in enumerate(found)
    ]


def _measure(problem: Problem, piece: _Slice, floor: float | None) -> SliceResult:
    metric, score = problem.objective.measure, None
    note = _too_few(problem, piece.y)
    if not note:
        try:
            score = metrics.score(metric, piece.y, piece.prediction)
        except DataError as error:
            note = str(error)
    met = None if floor is None or score is None else metrics.meets(metric, score, floor)
    return SliceResult(
        column=piece.column, value=piece.value, rows=len(piece.y), score=score, floor=floor,
        met=met, note=note,
    )  # fmt: skip


def _too_few(problem: Problem, y: Array) -> str:
    """Say why nothing is told of these rows, or nothing."""
    limits, metric = problem.evaluation, problem.objective.metric
    if len(y) < limits.slice_rows:
        return f"not told: fewer than {limits.slice_rows} rows"
    if problem.task == "regression" or metric in OF_ONE_CLASS:
        return ""
    counts = np.sort(np.unique(y, return_counts=True)[1])
    second = int(counts[-2]) if len(counts) > 1 else 0
    if second >= limits.class_rows:
        return ""
    return f"not told: fewer than {limits.class_rows} rows of a class"


def _chances(
    metric: str, whole: float, slices: Sequence[_Slice], found: Sequence[SliceResult], seed: int
) -> dict[int, float]:
    """The corrected p values of the slices that lag most, by their places."""
    lags = {
        place: metrics.gain(metric, whole, one.score) * np.sqrt(one.rows)
        for place, one in enumerate(found)
        if one.score is not None
    }
    ordered = sorted(lags, key=lambda place: -lags[place])
    tried = [place for place in ordered if lags[place] > 0][:MOST_TRIED]
    generator = np.random.default_rng(seed)
    chances = [_chance(metric, whole, slices[place], found[place], generator) for place in tried]
    corrected = holm([*chances, *[1.0] * (len(lags) - len(tried))])
    return dict(zip(tried, corrected, strict=False))


def _chance(
    metric: str, whole: float, piece: _Slice, found: SliceResult, generator: np.random.Generator
) -> float:
    """The p value of a lag by its bootstrap standard error, 0 where resamples are all alike."""
    counts = drawn_counts(len(piece.y), RESAMPLES, generator)
    drawn = resampled_scores(metric, piece.y, piece.prediction, counts)
    error = float(np.nanstd(drawn)) if np.isfinite(drawn).any() else np.inf
    lag = metrics.gain(metric, whole, found.score or 0.0)
    return NormalDist().cdf(-lag / error) if error > 0 else 0.0


def groups_of(values: Array, most: int) -> Iterator[tuple[str, Array]]:
    """Yield the rows of each value, at most so many; numbers with many values by quarter."""
    if values.dtype == np.int64 and (values == MISSING_TIMESTAMP).any():
        values = np.where(values == MISSING_TIMESTAMP, np.nan, values)
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
