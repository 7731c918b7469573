"""How strongly one column goes with the target, with a measure suited to both types."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel
from scipy import stats

from noria.common.arrays import Array
from noria.common.formatting import shortened
from noria.core.data.vocabulary import frequent_words

FEWEST_PER_CELL, RARE_CELLS = 5, 0.2  # what chi-squared needs of a table (Cochran 1954)
FEWEST_WITH_WORD = FEWEST_PER_CELL  # texts
TABLES = 10_000  # so that a p value of 5 % is told to 0.2 %, in a tenth of a second
LONGEST_WORD = 24  # letters that are shown, so that a picture has room for its bars
TOP_CATEGORIES = 50  # with codes of their own: rarer ones together, as chi-squared needs rows


@dataclass(frozen=True)
class Relation:
    """A measure with its value, its strength from 0 (none) to 1 (determines), and p value."""

    measure: str
    value: float
    strength: float
    p_value: float


class Related(BaseModel):
    """The relation of a column to the target; `p_value` is corrected after Holm."""

    measure: str
    value: float
    strength: float
    p_value: float
    significant: bool


NONE = Relation("none", 0.0, 0.0, 1.0)


def number_to_target(values: Array, target: Array, classes: int) -> Relation:
    """Relate numbers: AUC for two classes, rank epsilon squared for more, else Spearman."""
    present = np.isfinite(values)
    values, target = values[present], target[present]
    if len(values) < 3 or np.ptp(values) == 0 or np.ptp(target) == 0:
        return NONE
    if classes == 0:
        return _spearman(values, target)
    return _auc(values, target) if classes == 2 else across_groups(values, target)


def category_to_target(values: Array, target: Array, classes: int) -> Relation:
    """Relate categories: Cramér's V for classes, rank epsilon squared for numbers."""
    groups = category_codes(values)
    if len(groups) < 3 or np.ptp(groups) == 0 or np.ptp(target) == 0:
        return NONE
    if classes == 0:
        return across_groups(target, groups)
    found = cramers_v(groups, target)
    return replace(found, p_value=table_p_value(groups, target, found.p_value))


def text_to_target(values: Array, target: Array, classes: int, most: int) -> Relation:
    """Relate texts by the most informative word, of up to `most` frequent ones, as a category.

    The p value is that of the word, times the words that were tried (Bonferroni); for classes it is
    exact, since few texts hold a word and few are of a rare class.
    """
    words = frequent_words(values, most, FEWEST_WITH_WORD)
    holds = [words.holds(place) for place in range(len(words.names))]
    tried = [place for place, held in enumerate(holds) if not held.all()]
    if not tried or np.ptp(target) == 0:
        return NONE
    if classes:
        chances = [fisher_p_value(holds[place], target, classes) for place in tried]
        first = [place for place, one in zip(tried, chances, strict=True) if one == min(chances)]
        found = {place: cramers_v(holds[place].astype(np.int64), target) for place in first}
    else:
        found = {place: across_groups(target, holds[place]) for place in tried}
        chances = [one.p_value for one in found.values()]
    best = min(found, key=lambda place: (found[place].p_value, -found[place].strength))
    p_value = min(1.0, min(chances) * len(tried))
    measure = f"{found[best].measure} of '{shortened(words.names[best], LONGEST_WORD)}'"
    return Relation(measure, found[best].value, found[best].strength, p_value)


def fisher_p_value(held: Array, target: Array, classes: int) -> float:
    """The p value of the class that is most over- or under-represented among the marked rows.

    Fisher's exact test, both sides, for the class that differs most, times the classes (of two one
    tells both).
    """
    codes = target.astype(np.int64)
    of_all = np.bincount(codes, minlength=classes)
    of_held = np.bincount(codes[held], minlength=classes)
    shown = np.flatnonzero(of_all)
    drawn = len(codes), of_all[shown], int(held.sum())
    above = stats.hypergeom.sf(of_held[shown] - 1, *drawn)
    below = stats.hypergeom.cdf(of_held[shown], *drawn)
    least = float(np.minimum(above, below).min())
    return min(1.0, 2 * least * (len(shown) if len(shown) > 2 else 1))


def category_codes(values: Array, top: int = TOP_CATEGORIES) -> NDArray[np.int64]:
    """Number the categories by frequency; those beyond `top` share one number."""
    _, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    rank = np.empty(len(counts), dtype=np.int64)
    rank[np.argsort(-counts, kind="stable")] = np.arange(len(counts))
    return np.minimum(rank, top)[codes.reshape(-1)]


def _spearman(values: Array, target: Array) -> Relation:
    result = stats.spearmanr(values, target)
    rho = float(result.statistic)
    return Relation("Spearman's rho", rho, abs(rho), float(result.pvalue))


def _auc(values: Array, target: Array) -> Relation:
    """Area under the ROC curve of the bare column (Mann and Whitney 1947)."""
    positive, negative = values[target == 1], values[target == 0]
    result = stats.mannwhitneyu(positive, negative, method="asymptotic")
    auc = float(result.statistic) / (len(positive) * len(negative))
    return Relation("ROC AUC", auc, abs(2 * auc - 1), float(result.pvalue))


def across_groups(values: Array, groups: Array) -> Relation:
    """Relate numbers to groups: rank epsilon squared, with Kruskal and Wallis's (1952) p value.

    Epsilon squared is (H - k + 1) / (n - k) of k groups and n rows, 0 by chance and 1 where the
    groups decide the ranks (Tomczak and Tomczak 2014). There must be two groups or more.
    """
    parts = [values[groups == group] for group in np.unique(groups)]
    statistic, p_value = stats.kruskal(*parts)
    rows, count = len(values), len(parts)
    share = max(0.0, (float(statistic) - count + 1) / max(rows - count, 1))
    return Relation("rank epsilon²", share, min(1.0, float(np.sqrt(share))), float(p_value))


def cramers_v(groups: Array, target: Array) -> Relation:
    """Relate groups to classes (codes from 0): Cramér's V, corrected for bias (Bergsma 2013).

    The p value is chi-squared's, which holds where few cells are rare (`table_p_value`).
    """
    table = _table(groups, target)
    chi2, p_value, freedom, _ = stats.chi2_contingency(table, correction=False)
    rows, (height, width) = len(groups), table.shape
    phi2 = max(0.0, float(chi2) / rows - freedom / (rows - 1))
    height = height - (height - 1) ** 2 / (rows - 1)
    width = width - (width - 1) ** 2 / (rows - 1)
    smaller = min(height, width) - 1
    value = float(np.sqrt(phi2 / smaller)) if smaller > 0 else 0.0
    return Relation("Cramér's V", value, min(1.0, value), float(p_value))


def table_p_value(groups: Array, target: Array, p_value: float) -> float:
    """The p value of a table of groups by classes.

    The given p value (chi-squared's) where Cochran (1954) lets it count: all expected counts are 1
    or more, and four fifths of them 5 or more. Else the share of random tables with the same
    margins (Patefield 1981) that are as uneven, unless none of them is.
    """
    table = _table(groups, target)
    expected = stats.contingency.expected_freq(table)
    if expected.min() >= 1 and (expected < FEWEST_PER_CELL).mean() <= RARE_CELLS:
        return p_value
    drawn = stats.MonteCarloMethod(n_resamples=TABLES - 1, rng=np.random.default_rng(TABLES))
    found = stats.chi2_contingency(table.astype(np.int64), correction=False, method=drawn)
    share = float(found.pvalue)
    return share if share > 1 / TABLES else min(share, p_value)


def _table(groups: Array, target: Array) -> Array:
    """How many rows of each group are of each class, without empty rows and columns."""
    codes = target.astype(np.int64)
    table = np.zeros((groups.max() + 1, codes.max() + 1))
    np.add.at(table, (groups, codes), 1)
    shown: Array = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    return shown


def holm(p_values: list[float]) -> list[float]:
    """Correct p values for their number (Holm 1979): the family's error rate is kept."""
    order = np.argsort(p_values, kind="stable")
    count = len(p_values)
    corrected = np.empty(count)
    highest = 0.0
    for place, index in enumerate(order):
        highest = max(highest, min(1.0, p_values[index] * (count - place)))
        corrected[index] = highest
    return corrected.tolist()
