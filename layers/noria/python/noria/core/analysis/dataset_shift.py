"""How the rows of the last third in time differ from those of the first."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel
from scipy import stats

from noria.common.arrays import Array
from noria.common.formatting import joined_with_and, share
from noria.contracts import Problem
from noria.contracts.field_types import format_duration
from noria.core.analysis.distributions import Distribution, by_group
from noria.core.analysis.profiling import most_common
from noria.core.data.dataset import Dataset
from noria.core.data.vocabulary import frequent_words, rarest_word
from noria.core.data.window_coverage import has_full_history, window_lengths
from noria.core.statistics.association import holm, number_to_target
from noria.core.statistics.drift import (
    BINS,
    CATEGORIES,
    ColumnDrift,
    build_reference,
    measure_drift,
)

FEWEST_OF_CATEGORY = 10  # rarer ones count together, as chance alone puts them on one side
OTHER = "(other)"
CHARTED = 3


class Shift(BaseModel):
    """A column's population stability index; one that encodes the time itself always moves on.

    `p_value` is that of both thirds being drawn from the same rows, corrected after Holm.
    """

    column: str
    psi: float
    p_value: float
    tells_time: bool


class Shifts(BaseModel):
    """All columns but timestamps, the most shifted first, and pictures of those that drifted.

    `notes` say which rows of time-window aggregations were excluded.
    """

    columns: list[Shift]
    drifted: list[str]
    distributions: list[Distribution]
    notes: list[str] = []


class _Moved(NamedTuple):
    """How far a column moved, and 1/n + 1/m of the rows of both thirds."""

    drift: ColumnDrift
    rows: float


def shifts(ordered: Dataset, problem: Problem) -> Shifts:
    """Compare the first with the last third of rows in the order of time.

    Measured as the monitor does (`noria.core.statistics.drift`), so that `monitoring.drift` means
    the same; a column drifted where it is beyond that and beyond chance (`analysis.significance`).
    It tells the time where |Spearman's rho| with it reaches `analysis.redundancy`. A time window
    counts in rows where it begins within the data. Empty without event times or with fewer than
    `analysis.fewest_rows` rows per third.
    """
    fewest = problem.analysis.fewest_rows
    if ordered.event_time is None or len(ordered) // 3 < fewest:
        return Shifts(columns=[], drifted=[], distributions=[])
    full = {
        name: has_full_history(ordered.event_time, over)
        for name, over in window_lengths(problem).items()
        if name in ordered.data
    }
    found = _found(ordered, full, fewest)
    calendar = _tell_time(ordered, problem.analysis.redundancy, full)
    chances = holm([_p_value(one) for one in found.values()])
    columns = [
        Shift(column=name, psi=one.drift.psi, p_value=p_value, tells_time=name in calendar)
        for (name, one), p_value in zip(found.items(), chances, strict=True)
    ]
    drifted = [one.column for one in columns if _has_drifted(one, problem)]
    return Shifts(
        columns=columns,
        drifted=drifted,
        distributions=[
            by_group(ordered, name, _thirds(len(ordered), full.get(name)))
            for name in drifted[:CHARTED]
        ],
        notes=_notes(problem, full, found),
    )


def _thirds(rows: int, full: Array | None = None) -> dict[str, Array]:
    """Positions of both thirds' rows; of a time window those that it is full in."""
    third = rows // 3
    first, last = np.arange(third), np.arange(rows - third, rows)
    if full is not None:
        first, last = first[full[first]], last[full[last]]
    return {"first third": first, "last third": last}


def _found(ordered: Dataset, full: Mapping[str, Array], fewest: int) -> dict[str, _Moved]:
    """Every column's movement, the farthest first, but of windows with too few full rows."""
    usual = ordered.only([name for name in ordered.names() if name not in full])
    found = _moved(usual, _thirds(len(ordered)))
    for name, rows in full.items():
        thirds = _thirds(len(ordered), rows)
        if min(map(len, thirds.values())) >= fewest:
            found += _moved(ordered.only([name]), thirds)
    found.sort(key=lambda one: (-one.drift.psi, one.drift.name))
    return {one.drift.name: one for one in found}


def _moved(ordered: Dataset, thirds: Mapping[str, Array]) -> list[_Moved]:
    first, last = thirds.values()
    both = _with_groups(ordered.take(np.concatenate([first, last])))
    reference = build_reference(both.take(np.arange(len(first))), np.zeros(len(first)))
    later = both.take(np.arange(len(first), len(both))).data
    rows = 1 / len(first) + 1 / len(last)
    return [
        _Moved(one, rows) for one in measure_drift(reference, later, np.zeros(len(last))).columns
    ]


def _with_groups(both: Dataset) -> Dataset:
    """Categories without rare ones, and texts as categories of words."""
    grouped = {name: _without_rare(both.data[name]) for name in both.names("category")}
    grouped |= {name: _by_word(both.data[name]) for name in both.names("text")}
    columns = tuple(
        replace(column, kind="category") if column.name in grouped else column
        for column in both.columns
    )
    return replace(both, columns=columns, data={**both.data, **grouped})


def _notes(problem: Problem, full: Mapping[str, Array], found: Mapping[str, _Moved]) -> list[str]:
    """Say of each length of windows which rows are excluded, where there are any."""
    alike: dict[timedelta, list[str]] = {}
    for one in problem.features.windows:
        if one.as_ in full and not full[one.as_].all():
            alike.setdefault(one.over, []).append(one.as_)
    notes = []
    for over, names in alike.items():
        some = share(float(np.mean(~full[names[0]])))
        told = f"{some} of the rows, whose {format_duration(over)} of history begin before the data"
        verb = "is" if len(names) == 1 else "are"
        judged = f"{verb} compared over time without"
        if names[0] not in found:
            judged = "cannot be compared over time because of"
        notes.append(f"{joined_with_and(names)} {judged} {told}.")
    return notes


def _without_rare(values: NDArray[np.str_]) -> NDArray[np.str_]:
    """Keep the most frequent categories of both thirds; which they are depends on neither."""
    names, counts = most_common(values)
    kept = names[:BINS][counts[:BINS] >= FEWEST_OF_CATEGORY]
    return np.where(np.isin(values, kept) | (values == ""), values, OTHER)


def _by_word(values: NDArray[np.str_]) -> NDArray[np.str_]:
    """Put each text under the rarest of both thirds' most frequent words that it holds."""
    words = frequent_words(values, CATEGORIES, FEWEST_OF_CATEGORY).names
    found = np.array(rarest_word(values.tolist(), words), dtype=np.str_)
    return np.where((values != "") & (found == ""), OTHER, found)


def _p_value(one: _Moved) -> float:
    """PSI / (1/n + 1/m) is nearly chi-squared with bins - 1 (Yurdakul and Naranjo 2020)."""
    freedom = round((one.drift.raw_psi - one.drift.psi) / one.rows)  # the correction, a product
    if one.drift.psi <= 0 or freedom < 1:
        return 1.0
    return float(stats.chi2.sf(one.drift.raw_psi / one.rows, freedom))


def _has_drifted(one: Shift, problem: Problem) -> bool:
    significant = one.p_value < problem.analysis.significance
    return one.psi > problem.monitoring.drift and significant and not one.tells_time


def _tell_time(ordered: Dataset, limit: float, full: Mapping[str, Array]) -> set[str]:
    times = np.arange(len(ordered), dtype=np.float64)
    told = set()
    for name in ordered.names("number"):
        rows = full.get(name, np.ones(len(ordered), dtype=bool))
        values = ordered.data[name][rows].astype(np.float64)
        if number_to_target(values, times[rows], 0).strength >= limit:
            told.add(name)
    return told
