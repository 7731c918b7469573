"""How the rows of the last third in time differ from those of the first."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel
from scipy import stats

from noria.contracts import Problem
from noria.core.dataset import Dataset
from noria.core.distributions import Distribution, by_group
from noria.core.drift import BINS, CATEGORIES, ColumnDrift, build_reference, compare
from noria.core.profiling import most_common
from noria.core.relations import holm, number_to_target
from noria.core.words import frequent_words, rarest_known

FEWEST_OF_CATEGORY = 10  # rarer ones count together, as chance alone puts them on one side
OTHER = "(other)"
CHARTED = 3


class Shift(BaseModel):
    """A column's population stability index; one that tells the time itself always moves on.

    `p_value` is that of both thirds being drawn from the same rows, corrected after Holm.
    """

    column: str
    psi: float
    p_value: float
    tells_time: bool


class Shifts(BaseModel):
    """All columns but timestamps, the most shifted first, and pictures of those that drifted."""

    columns: list[Shift]
    drifted: list[str]
    distributions: list[Distribution]


def shifts(ordered: Dataset, problem: Problem) -> Shifts:
    """Compare the first with the last third of rows in the order of time.

    Measured as the monitor does (`noria.core.drift`), so that `monitoring.drift` means the same;
    a column drifted where it is beyond that and beyond chance (`analysis.significance`). It tells
    the time where |Spearman's rho| with it reaches `analysis.redundancy`. Empty without event
    times or with fewer than `analysis.fewest_rows` rows per third.
    """
    third = len(ordered) // 3
    if ordered.event_time is None or third < problem.analysis.fewest_rows:
        return Shifts(columns=[], drifted=[], distributions=[])
    thirds = {"first third": np.arange(third), "last third": np.arange(-third, 0)}
    found = _found(ordered.take(np.concatenate(list(thirds.values()))), third)
    calendar = _tell_time(ordered, problem.analysis.redundancy)
    chances = holm([_p_value(one, third) for one in found])
    columns = [
        Shift(column=one.name, psi=one.psi, p_value=p_value, tells_time=one.name in calendar)
        for one, p_value in zip(found, chances, strict=True)
    ]
    drifted = [one.column for one in columns if _has_drifted(one, problem)]
    pictures = [by_group(ordered, name, thirds) for name in drifted[:CHARTED]]
    return Shifts(columns=columns, drifted=drifted, distributions=pictures)


def _found(both: Dataset, third: int) -> list[ColumnDrift]:
    grouped = {name: _without_rare(both.data[name]) for name in both.names("category")}
    grouped |= {name: _by_word(both.data[name]) for name in both.names("text")}
    columns = tuple(
        replace(column, kind="category") if column.name in grouped else column
        for column in both.columns
    )
    both = replace(both, columns=columns, data={**both.data, **grouped})
    unscored = np.zeros(third)
    reference = build_reference(both.take(np.arange(third)), unscored)
    report = compare(reference, both.take(np.arange(third, 2 * third)).data, unscored)
    return sorted(report.columns, key=lambda one: (-one.psi, one.name))


def _without_rare(values: NDArray[np.str_]) -> NDArray[np.str_]:
    """Keep the most frequent categories of both thirds; which they are depends on neither."""
    names, counts = most_common(values)
    kept = names[:BINS][counts[:BINS] >= FEWEST_OF_CATEGORY]
    return np.where(np.isin(values, kept) | (values == ""), values, OTHER)


def _by_word(values: NDArray[np.str_]) -> NDArray[np.str_]:
    """Put each text under the rarest of both thirds' most frequent words that it holds."""
    words = frequent_words(values, CATEGORIES, FEWEST_OF_CATEGORY).names
    found = np.array(rarest_known(values.tolist(), words), dtype=np.str_)
    return np.where((values != "") & (found == ""), OTHER, found)


def _p_value(one: ColumnDrift, third: int) -> float:
    """PSI / (1/n + 1/m) is nearly chi-squared with bins - 1 (Yurdakul and Naranjo 2020)."""
    rows = 2 / third
    freedom = round((one.raw_psi - one.psi) / rows)  # the correction is their product
    if one.psi <= 0 or freedom < 1:
        return 1.0
    return float(stats.chi2.sf(one.raw_psi / rows, freedom))


def _has_drifted(one: Shift, problem: Problem) -> bool:
    significant = one.p_value < problem.analysis.significance
    return one.psi > problem.monitoring.drift and significant and not one.tells_time


def _tell_time(ordered: Dataset, limit: float) -> set[str]:
    times = np.arange(len(ordered), dtype=np.float64)
    return {
        name
        for name in ordered.names("number")
        if number_to_target(ordered.data[name].astype(np.float64), times, 0).strength >= limit
    }
