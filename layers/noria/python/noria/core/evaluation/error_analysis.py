"""Where a model's errors still depend on the columns: an F test per grouping of the rows.

If a model had learnt all that a column explains, its errors would have the same mean in every group
of that column. One-way analysis of variance (Fisher 1925) says how far they have not, adjusted R²
(Ezekiel 1930) how much of the errors' variance that is; Bonferroni corrects for all groupings.
With event time the errors are taken about the mean of their time block: what moves with time
as a whole is drift, which no recipe mends.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.stats import f as f_distribution

from noria.common.arrays import Array
from noria.contracts import Problem
from noria.core.data.dataset import Dataset
from noria.core.evaluation.error_findings import Findings, Weakness
from noria.core.evaluation.error_groups import Grouping, groupings
from noria.core.statistics.metrics import score
from noria.errors import DataError

TIME_BLOCKS = 10
MOST_WEAKNESSES = 12
SMALLEST_PROBABILITY = 1e-15


@dataclass(frozen=True)
class _Judged:
    """The rows that are looked at; errors have shape (n, k), one column per class or one."""

    rows: Dataset
    scores: Array
    errors: Array


def find_weaknesses(
    problem: Problem,
    rows: Dataset,
    scores: Array,
    importances: Mapping[str, float] | None = None,
    unread: Collection[str] = (),
) -> Findings:
    """Find what a model with these scores of the rows leaves unexplained.

    `importances` says how much the metric loses without each raw column; one that costs next to
    nothing is unused. `unread` are the columns that the model does not read: history among them
    waits for its recipe. Looks at up to `features.weakness_rows` rows, evenly spaced.
    """
    used, limits = importances or {}, problem.features
    least = limits.little_use * max([0.0, *used.values()])
    unused = tuple(name for name in rows.names() if used and used.get(name, 0.0) <= least)
    judged = _judged(rows, np.asarray(scores, dtype=np.float64), limits.weakness_rows)
    if judged is None:
        return Findings(unused=unused)
    windows = [window.as_ for window in limits.windows]
    history = [name for name in windows if name in unread and name in rows.data]
    tried = list(groupings(judged.rows, used, history))
    found = [_tested(one, judged, len(tried), problem) for one in tried]
    kept = [
        one
        for one in found
        if one is not None
        and one.share >= limits.weakness_share
        and one.significance < problem.analysis.significance
    ]
    ordered = sorted(kept, key=lambda one: (-one.share, one.aspect, one.columns))
    return Findings(weaknesses=tuple(ordered[:MOST_WEAKNESSES]), unused=unused)


def _judged(rows: Dataset, scores: Array, most: int) -> _Judged | None:
    """Return the rows with their errors about their mean; None where there is no error at all."""
    places = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), most)).astype(np.int64))
    chosen, scores = rows.take(places), scores[places]
    target = chosen.target.astype(np.float64)
    if scores.ndim == 2:
        errors = (chosen.target.reshape(-1, 1) == np.arange(scores.shape[1])) - scores
    else:
        errors = (target - scores).reshape(-1, 1)
    errors = _about_their_means(errors, chosen.event_time)
    return _Judged(chosen, scores, errors) if np.any(np.abs(errors) > 1e-12) else None


def _about_their_means(errors: Array, times: Array | None) -> Array:
    """Centre errors; where there is event time, within each tenth of the rows."""
    if times is None:
        return np.asarray(errors - errors.mean(axis=0))
    edges = np.unique(np.quantile(times, np.arange(1, TIME_BLOCKS) / TIME_BLOCKS))
    block = np.searchsorted(edges, times, side="right")
    counts = np.maximum(np.bincount(block), 1)
    means = np.column_stack([np.bincount(block, one) / counts for one in errors.T])
    return np.asarray(errors - means[block])


def _tested(grouping: Grouping, judged: _Judged, tests: int, problem: Problem) -> Weakness | None:
    """Test a grouping; of its groups the worst that has rows enough to be told is named."""
    codes, rows = grouping.codes, len(judged.errors)
    counts = np.bincount(codes, minlength=len(grouping.labels))
    groups = int(np.count_nonzero(counts))
    if groups < 2 or rows <= groups + 1:
        return None
    sums = [np.bincount(codes, one, len(counts)) for one in judged.errors.T]
    between = (np.stack(sums) ** 2).sum(axis=0) / np.maximum(counts, 1)
    total = float((judged.errors**2).sum())
    explained = min(float(between.sum()) / total, 1.0)
    free = max(judged.errors.shape[1] - 1, 1)  # probabilities of k classes have k - 1 to vary
    ratio = (explained / (groups - 1)) / max((1 - explained) / (rows - groups), 1e-300)
    p = float(f_distribution.sf(ratio, (groups - 1) * free, (rows - groups) * free))
    told = counts >= problem.evaluation.slice_rows
    worst = int(np.where(told, between, -1.0).argmax()) if told.any() else None
    return Weakness(
        columns=grouping.columns,
        aspect=grouping.aspect,
        share=1 - (1 - explained) * (rows - 1) / (rows - groups),
        significance=min(1.0, max(p, SMALLEST_PROBABILITY) * tests),
        where="" if worst is None else grouping.labels[worst],
        rows=0 if worst is None else int(counts[worst]),
        **({} if worst is None else _numbers(judged, codes == worst)),
    )


def _numbers(judged: _Judged, there: Array) -> dict[str, float | None]:
    target, scores = judged.rows.target, judged.scores
    if scores.ndim == 1:
        return {"actual": float(target[there].mean()), "predicted": float(scores[there].mean())}
    try:
        losses = [score("log_loss", target[rows], scores[rows]) for rows in (there, slice(None))]
    except DataError:
        return {}
    return {"loss": losses[0], "overall_loss": losses[1]}
