"""Pairs of numbers or times that decide the target together, as days taken and days planned do."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from noria.common.arrays import Array
from noria.contracts import Analysis
from noria.core.analysis.decisive_columns import (
    copies_number,
    decides_classes,
    separation,
    separation_by_chance,
)
from noria.core.analysis.profiling import as_numbers
from noria.core.column_types.cell_values import LARGEST
from noria.core.data.dataset import Dataset
from noria.core.statistics.association import Related, across_groups

MOST_COLUMNS = 40  # 780 pairs: a second, and tables with more are seldom of outcomes
MOST_PAIRS = 5
WORTH_A_TREE = 0.5  # rank epsilon², of which three classes in a row have 0.89


@dataclass(frozen=True)
class DecisivePair:
    """Two columns of which the difference or the ratio decides; `first` says more alone."""

    first: str
    second: str
    form: str


def decisive_pairs(
    sample: Dataset, related: Mapping[str, Related], limits: Analysis, left_out: Collection[str]
) -> list[DecisivePair]:
    """Find the pairs, without the columns in `left_out`, each column in one pair."""
    columns = [c for c in sample.columns if c.kind in ("number", "timestamp")]
    columns = sorted(
        (column for column in columns if column.name not in left_out),
        key=lambda column: -related[column.name].strength,
    )[:MOST_COLUMNS]
    values = {c.name: as_numbers(sample.data[c.name], c.kind) for c in columns}
    kinds = {column.name: column.kind for column in columns}
    tried = len(columns) * (len(columns) - 1)  # pairs, in two forms each
    found: list[DecisivePair] = []
    for first, second in combinations(values, 2):
        named = {name for pair in found for name in (pair.first, pair.second)}
        if kinds[first] != kinds[second] or {first, second} & named:
            continue
        form = _decisive_form(values[first], values[second], sample, limits, tried)
        if form:
            found.append(DecisivePair(first, second, form))
        if len(found) == MOST_PAIRS:
            break
    return found


def _decisive_form(
    first: Array, second: Array, sample: Dataset, limits: Analysis, tried: int
) -> str:
    """The form that decides, "" where none does."""
    known = np.isfinite(first) & np.isfinite(second)
    if known.sum() < max(limits.fewest_rows, limits.shared_rows * len(sample)):
        return ""
    target, classes = sample.target[known], len(sample.classes)
    for form, values in _forms(first[known], second[known]):
        if np.ptp(values) == 0 or np.ptp(target) == 0:
            continue
        if _decides(values, target, classes, limits, tried):
            return form
    return ""


def _forms(first: Array, second: Array) -> Iterator[tuple[str, Array]]:
    yield "difference", first - second
    if (second > 0).all() or (second < 0).all():
        yield "ratio", _ratio(first, second)
    elif (first > 0).all() or (first < 0).all():
        yield "ratio", _ratio(second, first)


def _ratio(one: Array, other: Array) -> Array:
    """Divide in units of the largest values, so that the spread of ratios is a double too."""
    with np.errstate(all="ignore"):
        ratios = np.nan_to_num(_in_units(one) / _in_units(other))
    return np.clip(ratios, -LARGEST, LARGEST)


def _in_units(values: Array) -> Array:
    """Divide by the power of two above the largest, which keeps equal ratios equal."""
    return np.asarray(np.ldexp(values, -np.frexp(np.abs(values).max())[1]), dtype=np.float64)


def _decides(values: Array, target: Array, classes: int, limits: Analysis, tried: int) -> bool:
    if classes == 0:
        return copies_number(values, target, limits.fewest_rows)
    if classes > 2:
        worth = across_groups(values, target).value >= WORTH_A_TREE
        return worth and decides_classes(values, target, classes, limits.leakage)
    return (
        separation(values, target) >= limits.leakage
        and decides_classes(values, target, classes, limits.leakage)
        and separation_by_chance(values, target) * tried < limits.chance
    )
