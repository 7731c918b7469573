"""How far live data has moved from what a model was trained on.

Every column is compared in at most ten bins of the reference (and one for missing values) by the
population stability index (PSI) and the Jensen-Shannon distance. With n and m rows the PSI of two
samples of one population has the expectation (bins - 1)(1/n + 1/m) (Yurdakul and Naranjo,
"Statistical properties of the population stability index", Journal of Risk Model Validation 14(4),
2020): that much is subtracted, so that a threshold means the same at 200 and at 200,000 rows.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from noria.common.arrays import Array
from noria.core.data.dataset import Dataset, empty_value
from noria.core.data.vocabulary import evenly_spaced, frequent_words, rarest_word
from noria.core.data.window_coverage import rows_to_compare
from noria.core.statistics.metrics import labels

BINS = 10  # deciles, as credit scoring takes them (Siddiqi 2006)
QUANTILES = 250  # of the stored sketch: known to 0.4 % of the rows
CATEGORIES = 30  # with bins of their own; the others share one
#: A column that changed completely counts 1, so that it cannot drown all others.
COMPLETE = 1.0
SCORES = "prediction"


class _DriftModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ColumnReference(_DriftModel):
    """The distribution of one column: counts per bin, the last bin for missing values.

    Numbers: bin i holds edges[i-1] < x <= edges[i]. Categories: one bin per value, then others.
    Texts: one bin per word, for texts whose rarest known word it is, then others.
    """

    kind: Literal["number", "category", "text"]
    edges: tuple[float, ...] = ()
    values: tuple[str, ...] = ()
    counts: tuple[int, ...]
    quantiles: tuple[float, ...] = ()


class DriftReference(_DriftModel):
    """What the monitor compares live data with; stored as JSON beside the model."""

    columns: dict[str, ColumnReference]
    scores: ColumnReference
    target_rate: float
    classes: tuple[str, ...] = ()
    importances: dict[str, float] = {}
    rows: int


class ColumnDrift(_DriftModel):
    """The movement of one column: PSI (corrected, and as counted) and distance from 0 to 1."""

    name: str
    psi: float
    raw_psi: float
    distance: float
    missing: float
    weight: float


class DriftReport(_DriftModel):
    """The movement of every column and of the predictions, and the one number for the alarm."""

    drift: float
    predictions: ColumnDrift | None
    columns: list[ColumnDrift]
    rows: int
    reasons: list[str]


def build_reference(
    dataset: Dataset,
    scores: Array,
    importances: Mapping[str, float] | None = None,
    windows: Mapping[str, int] | None = None,
) -> DriftReference:
    """Sum up the training data; timestamps, which always move on, are left out.

    Pass scores of rows that the model was not trained on (the holdout's): a model's scores of its
    own training rows are more extreme than live ones. `windows` are the seconds that history
    features look back (`window_lengths`): rows whose window begins before the data are not
    counted for them, as a live row's window is full.
    """
    columns = {
        column.name: _reference(
            dataset.data[column.name][
                rows_to_compare(dataset.event_time, windows or {}, column.name)
            ],
            column.kind == "text",
        )
        for column in dataset.columns
        if column.kind != "timestamp"
    }
    return DriftReference(
        columns=columns,
        scores=_reference(_score_values(scores)),
        target_rate=float(dataset.target.mean()) if len(dataset) else 0.0,
        classes=dataset.classes,
        importances=dict(importances or {}),
        rows=len(dataset),
    )


def measure_drift(
    reference: DriftReference, columns: Mapping[str, Array], scores: Array
) -> DriftReport:
    """Compare live columns and scores with the reference.

    `drift` is the larger of the predictions' PSI and the mean PSI of the columns weighted by
    their importance (each at most 1): a column that the model ignores raises no alarm.
    """
    rows = len(scores)
    if rows == 0:
        return DriftReport(drift=0.0, predictions=None, columns=[], rows=0, reasons=["no rows"])
    weights = _weights(reference)
    found = []
    for name, expected in reference.columns.items():
        live = columns.get(name)
        values = np.full(rows, _missing(expected)) if live is None else np.asarray(live)
        found.append(_column_drift(name, expected, values, weights[name]))
    predictions = _column_drift(SCORES, reference.scores, _score_values(scores), 1.0)
    mean = sum(one.weight * min(one.psi, COMPLETE) for one in found)
    found.sort(key=lambda one: (-one.weight * min(one.psi, COMPLETE), one.name))
    return DriftReport(
        drift=max(predictions.psi, mean),
        predictions=predictions,
        columns=found,
        rows=rows,
        reasons=_reasons(predictions, found, mean),
    )


def compare_scores(expected: Array, found: Array) -> ColumnDrift:
    """Compare the scores of one model with those of another: numbers, or names of classes."""
    return _column_drift(SCORES, _reference(_score_values(expected)), _score_values(found), 1.0)


def _reference(values: Array, is_text: bool = False) -> ColumnReference:
    if is_text:
        values = evenly_spaced(values)
        words = frequent_words(values, CATEGORIES).names
        empty = ColumnReference(kind="text", values=tuple(words), counts=())
    elif values.dtype.kind in "US":
        counts = Counter(values.tolist())
        missing = str(empty_value("category"))
        common = [text for text, _ in counts.most_common(CATEGORIES + 1) if text != missing]
        empty = ColumnReference(kind="category", values=tuple(common[:CATEGORIES]), counts=())
    else:
        known = values[~np.isnan(values)].astype(np.float64)
        empty = ColumnReference(
            kind="number", edges=_edges(known), quantiles=_quantiles(known), counts=()
        )
    return empty.model_copy(update={"counts": tuple(_counts(empty, values).tolist())})


def _edges(known: Array) -> tuple[float, ...]:
    """Choose nine values of the data, so that few distinct values fall into bins of their own."""
    if not len(known):
        return ()
    shares = np.arange(1, BINS) / BINS
    found = np.unique(np.quantile(known, shares, method="inverted_cdf"))
    return tuple(found[found < known.max()].tolist())


def _quantiles(known: Array) -> tuple[float, ...]:
    shares = np.linspace(0, 1, QUANTILES)
    return tuple(np.quantile(known, shares).tolist()) if len(known) else ()


def _counts(reference: ColumnReference, values: Array) -> NDArray[np.int64]:
    """Count live or training rows per bin of the reference; the last bin is for missing ones."""
    if reference.kind == "text":
        there = values[values != empty_value("text")].tolist()
        counts = Counter(rarest_word(there, reference.values))
        known = [counts.get(word, 0) for word in reference.values]
        return np.array([*known, counts[""], len(values) - len(there)], dtype=np.int64)
    if reference.kind == "category":
        counts = Counter(values.tolist())
        missing = counts.pop(str(empty_value("category")), 0)
        known = [counts.get(text, 0) for text in reference.values]
        return np.array([*known, counts.total() - sum(known), missing], dtype=np.int64)
    numbers = np.asarray(values, dtype=np.float64)
    missing_rows = np.isnan(numbers)
    bins = np.searchsorted(reference.edges, numbers[~missing_rows], side="left")
    counted = np.bincount(bins, minlength=len(reference.edges) + 1)
    return np.append(counted, np.count_nonzero(missing_rows))


def _column_drift(
    name: str, reference: ColumnReference, values: Array, weight: float
) -> ColumnDrift:
    expected = np.asarray(reference.counts, dtype=np.float64)
    counted = _counts(reference, values).astype(np.float64)
    raw, occupied = _psi(expected, counted)
    rows = 1 / max(1.0, expected.sum()) + 1 / max(1.0, counted.sum())
    return ColumnDrift(
        name=name,
        psi=max(0.0, raw - (occupied - 1) * rows),
        raw_psi=raw,
        distance=_distance(expected, counted),
        missing=float(counted[-1] / max(1.0, counted.sum())),
        weight=weight,
    )


def _psi(expected: Array, counted: Array) -> tuple[float, int]:
    """Return the PSI over bins that anyone occupies; half a row in each keeps it finite."""
    used = (expected + counted) > 0
    one, other = expected[used] + 0.5, counted[used] + 0.5
    p, q = one / one.sum(), other / other.sum()
    return float(np.sum((q - p) * np.log(q / p))), int(used.sum())


def _distance(expected: Array, counted: Array) -> float:
    """Return the Jensen-Shannon distance with base 2: 0 is equal, 1 has nothing in common."""
    p, q = expected / max(1.0, expected.sum()), counted / max(1.0, counted.sum())
    middle = (p + q) / 2
    divergence = (_relative_entropy(p, middle) + _relative_entropy(q, middle)) / 2
    return float(np.sqrt(max(0.0, divergence)))


def _relative_entropy(p: Array, q: Array) -> float:
    used = p > 0
    return float(np.sum(p[used] * np.log2(p[used] / q[used])))


def _score_values(scores: Array) -> Array:
    """Compare probabilities of many classes by the label they give."""
    values = np.asarray(scores)
    if values.dtype.kind == "U":
        return values
    return labels(values).astype(np.str_) if values.ndim == 2 else values.astype(np.float64)


def _missing(reference: ColumnReference) -> float | str:
    return float("nan") if reference.kind == "number" else ""


def _weights(reference: DriftReference) -> dict[str, float]:
    """Share 1 among the columns by importance, evenly where none is known."""
    found = {name: max(0.0, reference.importances.get(name, 0.0)) for name in reference.columns}
    total = sum(found.values())
    if total <= 0:
        return dict.fromkeys(found, 1 / max(1, len(found)))
    return {name: value / total for name, value in found.items()}


def _reasons(predictions: ColumnDrift, columns: list[ColumnDrift], mean: float) -> list[str]:
    moved = [
        f"{one.name} (PSI {one.psi:.2f}, weight {one.weight:.2f})"
        for one in columns[:3]
        if one.weight * one.psi > 0
    ]
    return [
        f"predictions drifted by PSI {predictions.psi:.3f}, inputs by {mean:.3f} (weighted mean)",
        f"most by {', '.join(moved)}" if moved else "no important input drifted",
    ]
