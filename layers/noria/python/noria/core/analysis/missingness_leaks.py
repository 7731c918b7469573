"""Columns whose being filled or empty tells the target."""

import numpy as np
from scipy import stats

from noria.common.arrays import Array
from noria.core.data.dataset import Dataset, is_missing
from noria.core.statistics.association import holm, number_to_target

SIDES = ("filled", "empty")


def missingness_leaks(sample: Dataset, limit: float, significance: float) -> dict[str, str]:
    """Suspect columns whose missing values predict the target; p values corrected after Holm."""
    judged = {}
    for column in sample.columns:
        empty = is_missing(column.kind, sample.data[column.name])
        if empty.any() and not empty.all():
            judged[column.name] = _judged(sample, empty, limit)
    corrected = holm([p_value for _, p_value in judged.values()])
    return {
        name: reason
        for (name, (reason, _)), p_value in zip(judged.items(), corrected, strict=True)
        if reason and p_value < significance
    }


def _judged(sample: Dataset, empty: Array, limit: float) -> tuple[str, float]:
    """Return the reason for suspicion, empty for none, and its p value."""
    if sample.classes:
        return _purest_class(sample, empty, limit)
    found = number_to_target(sample.target, empty.astype(np.int64), 2)
    reason = (
        f"has missing values that predict whether the target is high or low (ROC AUC "
        f"{max(found.value, 1 - found.value):.3g})"
    )
    return reason if found.strength >= limit else "", found.p_value


def _purest_class(sample: Dataset, empty: Array, limit: float) -> tuple[str, float]:
    """Find the class that the filled or the empty rows nearly all are, or that nearly all are.

    Purity is the share of one class among those rows, scaled so that its share of all rows is 0
    and certainty 1; coverage is the difference of their shares in that class and in the others
    (Youden 1950). p is Fisher's exact one, times the classes and sides that were looked at.
    """
    classes = len(sample.classes)
    of_all = np.bincount(sample.target, minlength=classes)
    best: tuple[float, str, float] = (0.0, "", 1.0)
    for side, rows in zip(SIDES, (~empty, empty), strict=True):
        of_side = np.bincount(sample.target[rows], minlength=classes)
        for code in np.flatnonzero(of_side).tolist():
            strength = _strength(of_side, of_all, code)
            if strength > best[0]:
                share, base = of_side[code] / rows.sum(), of_all[code] / len(sample)
                reason = (
                    f"is {side} in {int(rows.sum()):,} rows, of which {share:.1%} have the target "
                    f"{sample.classes[code]!r} ({base:.1%} of all rows)"
                )
                p_value = _fisher_p_value(of_side, of_all, code) * classes * len(SIDES)
                best = (strength, reason, min(p_value, 1.0))
    return (best[1] if best[0] >= limit else ""), best[2]


def _strength(of_side: Array, of_all: Array, code: int) -> float:
    base, others = of_all[code] / of_all.sum(), of_all.sum() - of_all[code]
    if others == 0:
        return 0.0
    purity = (of_side[code] / of_side.sum() - base) / (1 - base)
    coverage = of_side[code] / of_all[code] - (of_side.sum() - of_side[code]) / others
    return float(max(purity, coverage))


def _fisher_p_value(of_side: Array, of_all: Array, code: int) -> float:
    """Fisher's exact test, one-sided: as many rows of a class among those drawn, or more."""
    return float(stats.hypergeom.sf(of_side[code] - 1, of_all.sum(), of_all[code], of_side.sum()))
