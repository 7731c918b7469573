"""Pairs of redundant columns, with a measure suited to both types.

Two numbers: |Spearman's rho|. A category and a number: the correlation ratio of the number's
ranks. Two categories: the adjusted Wallace coefficient, which has a direction (an airport decides
its city, a city not its airport). Texts, of which no two are alike: how often both columns say the
same. All are corrected for chance or free of bias, so that a category
with nearly as many values as rows is not found to decide everything.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from noria.common.arrays import Array
from noria.contracts import Analysis
from noria.core.analysis.profiling import as_numbers
from noria.core.data.dataset import TEXTUAL, Dataset
from noria.core.statistics.cohens_kappa import cohens_kappa
from noria.core.statistics.ranks import centred_ranks

MOST_PAIRS = 200
RHO, RATIO, WALLACE = "Spearman's rho", "correlation ratio of ranks", "adjusted Wallace"
KAPPA = "Cohen's kappa"


class Redundant(BaseModel):
    """Two columns of which the first determines the second; `mutual` where both do."""

    first: str
    second: str
    measure: str
    value: float
    mutual: bool
    sentence: str


@dataclass(frozen=True)
class _Coded:
    """A column as codes of its values, -1 for missing; `rare` is the share of all but the top."""

    name: str
    codes: NDArray[np.int64]
    levels: int
    rare: float


def redundant_pairs(sample: Dataset, limits: Analysis) -> list[Redundant]:
    """Find the pairs whose association reaches `analysis.redundancy`, strongest first.

    A pair counts with `fewest_rows` rows that have both columns, which are a share `shared_rows`
    of those that have either, and `contradictions` rows that could have told otherwise. At most
    `MOST_PAIRS` are returned.
    """
    if len(sample) < limits.fewest_rows:
        return []
    numbers = [column.name for column in sample.columns if column.kind not in TEXTUAL]
    table = _table(sample, numbers)
    texts = [column.name for column in sample.columns if column.kind in TEXTUAL]
    categories = [_coded(name, sample.data[name], "") for name in texts]
    categories = [column for column in categories if column.levels > 1]
    coded = [_coded(name, table[:, place], np.nan) for place, name in enumerate(numbers)]
    ranks, present = centred_ranks(table)
    found = [
        *_number_pairs(numbers, ranks, present, limits),
        *_category_pairs(categories, coded, limits),
        *_mixed_pairs(categories, coded, ranks, present, limits),
    ]
    seen = {frozenset((pair.first, pair.second)) for pair in found}
    found += [one for one in _same_texts(sample, limits) if {one.first, one.second} not in seen]
    return sorted(found, key=lambda pair: -abs(pair.value))[:MOST_PAIRS]


def _table(sample: Dataset, names: list[str]) -> NDArray[np.float64]:
    kinds = {column.name: column.kind for column in sample.columns}
    parts = [as_numbers(sample.data[name], kinds[name]) for name in names]
    return np.column_stack(parts) if parts else np.empty((len(sample), 0))


def _coded(name: str, values: Array, missing: Any) -> _Coded:
    names, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    empty = names != names if missing != missing else names == missing
    places = np.where(empty, -1, np.cumsum(~empty) - 1)
    known = counts[~empty]
    rare = 1 - known.max() / known.sum() if len(known) else 0.0
    return _Coded(name, places[codes.reshape(-1)].astype(np.int64), len(known), float(rare))


def _is_shared(both: Any, either: Any, limits: Analysis) -> Any:
    return (both >= limits.fewest_rows) & (both >= limits.shared_rows * either)


def _number_pairs(
    names: list[str], ranks: Array, present: Array, limits: Analysis
) -> Iterator[Redundant]:
    """Correlate the ranks of all pairs at once, over the rows that have both (Spearman 1904)."""
    mask = present.astype(np.float64)
    both = mask.T @ mask
    sums, squares = ranks.T @ mask, (ranks**2).T @ mask
    rows = np.maximum(both, 1)
    spread = np.sqrt(np.maximum(squares - sums**2 / rows, 0))
    scale = spread * spread.T
    covered = ranks.T @ ranks - sums * sums.T / rows
    rho = np.divide(covered, scale, out=np.zeros_like(scale), where=scale > 1e-9)
    either = np.add.outer(mask.sum(axis=0), mask.sum(axis=0)) - both
    close = _is_shared(both, either, limits) & (np.abs(rho) >= limits.redundancy)
    for a, b in np.argwhere(np.triu(close, k=1)):
        value = float(np.clip(rho[a, b], -1, 1))
        yield _pair(names[a], names[b], RHO, value, mutual=True)


def _category_pairs(
    categories: list[_Coded], numbers: list[_Coded], limits: Analysis
) -> Iterator[Redundant]:
    """Compare categories both ways, and numbers with repeated values as codes of categories."""
    limit = limits.redundancy
    codes = [column for column in numbers if 1 < column.levels <= len(column.codes) / 4]
    for place, second in enumerate(categories):
        for first in categories[:place]:
            there, back = _wallace(first, second, limits), _wallace(second, first, limits)
            if there >= limit and back >= limit:
                yield _pair(first.name, second.name, WALLACE, min(there, back), mutual=True)
            elif there >= limit:
                yield _pair(first.name, second.name, WALLACE, there)
            elif back >= limit:
                yield _pair(second.name, first.name, WALLACE, back)
        for first in codes:
            if (value := _wallace(first, second, limits)) >= limit:
                yield _pair(first.name, second.name, WALLACE, value)


def _wallace(first: _Coded, second: _Coded, limits: Analysis) -> float:
    """How often two rows alike in the first are alike in the second, corrected for chance.

    Wallace (1983), "A method for comparing two hierarchical clusterings: comment", adjusted after
    Severiano et al. (2011, "Adjusted Wallace coefficient"): 0 by chance, 1 where it decides.
    """
    both = (first.codes >= 0) & (second.codes >= 0)
    rows, either = int(both.sum()), int(((first.codes >= 0) | (second.codes >= 0)).sum())
    if not _is_shared(rows, either, limits):
        return 0.0
    a, b = first.codes[both], second.codes[both]
    groups = np.bincount(a)
    if groups[groups > 1].sum() * second.rare < limits.contradictions:
        return 0.0
    alike = _pairs_alike(groups)
    joint = np.unique(a * second.levels + b, return_counts=True)[1]
    expected = _pairs_alike(np.bincount(b)) / (rows * (rows - 1))
    if alike == 0 or expected >= 1:
        return 0.0
    return float((_pairs_alike(joint) / alike - expected) / (1 - expected))


def _pairs_alike(counts: Array) -> float:
    sizes = counts.astype(np.float64)
    return float((sizes * (sizes - 1)).sum())


def _mixed_pairs(
    categories: list[_Coded],
    numbers: list[_Coded],
    ranks: Array,
    present: Array,
    limits: Analysis,
) -> Iterator[Redundant]:
    for category in categories:
        ratios = _correlation_ratios(category, numbers, ranks, present, limits)
        for number, ratio in zip(numbers, ratios, strict=True):
            if ratio >= limits.redundancy:
                yield _pair(category.name, number.name, RATIO, float(ratio))


def _correlation_ratios(
    category: _Coded, numbers: list[_Coded], ranks: Array, present: Array, limits: Analysis
) -> NDArray[np.float64]:
    """The correlation ratio eta of every number's ranks by one category.

    Its square is corrected for the number of groups, 1 - (SSW / (n - k)) / (SST / (n - 1))
    (Kelley 1935, "An unbiased correlation ratio measure").
    """
    known = category.codes >= 0
    order = np.argsort(category.codes[known], kind="stable")
    codes, values, mask = category.codes[known][order], ranks[known][order], present[known][order]
    starts = np.flatnonzero(np.diff(codes, prepend=-1))
    sums, counts = np.add.reduceat(values, starts), np.add.reduceat(mask.astype(np.int64), starts)
    rows, groups = counts.sum(axis=0), (counts > 0).sum(axis=0)
    squares = (values**2).sum(axis=0)
    total = squares - values.sum(axis=0) ** 2 / np.maximum(rows, 1)
    within = squares - (sums**2 / np.maximum(counts, 1)).sum(axis=0)
    chances = np.where(counts > 1, counts, 0).sum(axis=0) * [number.rare for number in numbers]
    either = present.sum(axis=0) + known.sum() - rows
    enough = _is_shared(rows, either, limits) & (rows - groups >= limits.fewest_rows)
    enough &= (chances >= limits.contradictions) & (total > 1e-9)
    freedom = np.maximum(rows - groups, 1)
    unexplained = within / freedom / np.where(enough, total, 1) * np.maximum(rows - 1, 1)
    return np.where(enough, np.sqrt(np.clip(1 - unexplained, 0, 1)), 0.0)


def _same_texts(sample: Dataset, limits: Analysis) -> Iterator[Redundant]:
    """Find texts that stand in two columns."""
    for one, other in itertools.combinations(sample.names("text"), 2):
        a, b = sample.data[one], sample.data[other]
        both, either = (a != "") & (b != ""), (a != "") | (b != "")
        if not _is_shared(int(both.sum()), int(either.sum()), limits):
            continue
        value = cohens_kappa(a[both], b[both])
        if value >= limits.redundancy:
            yield _pair(one, other, KAPPA, value, mutual=True)


def _pair(first: str, second: str, measure: str, value: float, mutual: bool = False) -> Redundant:
    told = (
        f"{first} and {second} are redundant" if mutual else f"{first} almost determines {second}"
    )
    sentence = f"{told} ({measure} {value:.2f})"
    return Redundant(
        first=first, second=second, measure=measure, value=value, mutual=mutual, sentence=sentence
    )
