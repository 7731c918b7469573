"""Whether a model treats the groups of a protected column alike, and how sure that is."""

from collections.abc import Mapping
from statistics import NormalDist

import numpy as np
from pydantic import BaseModel, ConfigDict

from noria.common.arrays import Array
from noria.contracts import Problem
from noria.core.evaluation.slices import groups_of
from noria.core.statistics import metrics


class _Told(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class GroupRate(_Told):
    """A rate of a group's rows, with its interval (Wilson 1927)."""

    value: str
    rows: int
    rate: float
    low: float
    high: float


class RateGap(_Told):
    """How far the groups of a column are apart in a rate: the highest less the lowest.

    The interval is that of a difference of two proportions (Newcombe 1998, method 10). Where it
    does not hold zero the groups surely differ.
    """

    column: str
    measure: str
    groups: list[GroupRate]
    highest: str
    lowest: str
    gap: float
    low: float
    high: float

    @property
    def sentence(self) -> str:
        """Who has the highest rate and who the lowest, and how sure the difference is."""
        return (
            f"{self.measure} by {self.column}: {self.gap:.1%} apart ({self.low:.1%} to "
            f"{self.high:.1%}), {self.highest} the highest, {self.lowest} the lowest"
        )


def fairness(
    problem: Problem,
    y: Array,
    columns: Mapping[str, Array],
    prediction: Array,
    threshold: float | Array = metrics.LABEL_THRESHOLD,
) -> list[RateGap]:
    """Compare the groups of each protected slice by the rates that a task has.

    Of two classes: rows called positive (demographic parity), positives found (equal opportunity,
    Hardt et al. 2016) and negatives called positive. Of many: rows called rightly. None of numbers,
    which have no rates. Groups with fewer rows than `evaluation.slice_rows` are not compared.
    """
    if problem.task == "regression":
        return []
    answers, found = metrics.labels(prediction, threshold), []
    for one in problem.objective.slices:
        if not one.protected or one.column not in columns:
            continue
        groups = dict(groups_of(np.asarray(columns[one.column]), problem.evaluation.slice_values))
        for measure, (hits, among) in _measures(problem, y, answers).items():
            rates = _rates(groups, hits, among, problem)
            if len(rates) > 1:
                found.append(_gap(one.column, measure, rates, problem.evaluation.confidence))
    return found


def _measures(problem: Problem, y: Array, answers: Array) -> dict[str, tuple[Array, Array]]:
    """What is counted, and among which rows."""
    every = np.ones(len(y), dtype=bool)
    if problem.task == "multiclass":
        return {"rows called rightly": (answers == y, every)}
    called = answers == 1
    return {
        "rows called positive": (called, every),
        "positives found": (called, y == 1),
        "negatives called positive": (called, y == 0),
    }


def _rates(
    groups: Mapping[str, Array], hits: Array, among: Array, problem: Problem
) -> list[GroupRate]:
    limits, found = problem.evaluation, []
    for value, rows in groups.items():
        counted = rows & among
        total = int(np.count_nonzero(counted))
        if total < limits.slice_rows:
            continue
        rate = float(hits[counted].mean())
        low, high = _wilson(rate, total, limits.confidence)
        found.append(GroupRate(value=value, rows=total, rate=rate, low=low, high=high))
    return found


def _gap(column: str, measure: str, rates: list[GroupRate], confidence: float) -> RateGap:
    ordered = sorted(rates, key=lambda one: one.rate)
    top, bottom = ordered[-1], ordered[0]
    gap = top.rate - bottom.rate
    below = np.hypot(top.rate - top.low, bottom.high - bottom.rate)
    above = np.hypot(top.high - top.rate, bottom.rate - bottom.low)
    return RateGap(
        column=column, measure=measure, groups=rates, highest=top.value, lowest=bottom.value,
        gap=gap, low=float(gap - below), high=float(gap + above),
    )  # fmt: skip


def _wilson(rate: float, rows: int, confidence: float) -> tuple[float, float]:
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    middle = (rate + z**2 / (2 * rows)) / (1 + z**2 / rows)
    half = z / (1 + z**2 / rows) * np.sqrt(rate * (1 - rate) / rows + z**2 / (4 * rows**2))
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))
