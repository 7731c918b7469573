"""Answers that need no ML: the same for every row, or the contract's rule."""

import numpy as np

from noria.common.arrays import Array
from noria.core.data.dataset import Dataset


def trivial_answers(
    training: Dataset, judged: Dataset, metric: str, recent: float
) -> dict[str, Array]:
    """Answer without looking at the row: class shares or mean, and those of the latest rows.

    Latest are a share `recent` of the training rows (`analysis.recent`).
    """
    rows = len(judged)
    target = training.target
    if training.classes:
        answers = {"class shares": _shares(target, training.classes, rows)}
        if metric == "f1" and len(training.classes) == 2:
            answers[f"always {training.classes[1]}"] = np.ones(rows)
    else:
        answers = {
            "mean": np.full(rows, target.mean()),
            "median": np.full(rows, np.median(target)),
        }
    if training.event_time is not None:
        latest = np.argsort(training.event_time, kind="stable")[
            -max(int(len(training) * recent), 1) :
        ]
        lately = target[latest]
        answers["recent shares" if training.classes else "recent mean"] = (
            _shares(lately, training.classes, rows)
            if training.classes
            else np.full(rows, lately.mean())
        )
    return answers


def _shares(target: Array, classes: tuple[str, ...], rows: int) -> Array:
    """Give every row the observed share of each class, smoothed by half a row."""
    counts = np.bincount(target, minlength=len(classes)) + 0.5
    shares = counts / counts.sum()
    return np.full(rows, shares[1]) if len(classes) == 2 else np.tile(shares, (rows, 1))


def rule_answer(judged: Dataset, mean: float) -> dict[str, Array]:
    """Return the contract rule's answers as a model would give them, under the name "rule".

    An answer that is no finite number, such as one divided by zero, counts as a missing one:
    negative, or the `mean` target of a regression.
    """
    if judged.rule is None:
        return {}
    if len(judged.classes) <= 2:
        fallback = 0.0 if judged.classes else mean
        return {"rule": np.where(np.isfinite(judged.rule), judged.rule, fallback)}
    chosen = judged.rule.astype(np.int64)[:, None] == np.arange(len(judged.classes))
    return {"rule": chosen.astype(np.float64)}
