"""Columns that may give the target away: each suspect with its reason."""

from collections.abc import Collection, Iterable, Mapping

import numpy as np
from pydantic import BaseModel

from noria.common.arrays import Array
from noria.common.expressions import parse
from noria.contracts import Problem
from noria.core.analysis.decisive_columns import (
    bands_of,
    copies_number,
    decides_classes,
    groups_decide,
)
from noria.core.analysis.decisive_pairs import decisive_pairs
from noria.core.analysis.missingness_leaks import missingness_leaks
from noria.core.analysis.named_columns import is_named
from noria.core.analysis.profiling import as_numbers
from noria.core.data.dataset import Column, Dataset, is_missing
from noria.core.statistics.association import Related, category_codes

ALONE = "decides the target alone"
FEW_VALUES = 20  # different numbers up to which they may be names of bands
POST_OUTCOME = "is filled where the outcome is known and empty where it is still to come"


class Suspect(BaseModel):
    """A column that may not be known when the prediction is made, and why it is suspected.

    `stops`: the evidence is such that the run does not go on without a decision
    (`analysis.on_leak`).
    """

    column: str
    reason: str
    stops: bool = True


def leakage_suspects(
    sample: Dataset,
    related: Mapping[str, Related],
    problem: Problem,
    post_outcome: Iterable[str] = (),
) -> list[Suspect]:
    """Name the suspects among the columns of training rows, those with most reasons first.

    Suspected is a column that alone nearly decides the target (`analysis.leakage`), or decides it
    with another one, whose times lie after the event time in more than `analysis.late` of the rows,
    whose being filled or empty tells the target, or that was filled only in rows whose outcome is
    known (`post_outcome`). The kinds follow Kaufman et al. (2012), "Leakage in data mining".

    Not suspected is what the contract confirms as known (`confirmed_columns`). A column that goes
    strongly with the target and yet does not decide it is named, and stops no run.
    """
    confirmed = confirmed_columns(problem)
    judged = sample.only([name for name in sample.names() if name not in confirmed])
    rows = _spread(sample, problem.analysis.pair_rows)
    deciding = _deciding(rows, problem)
    stopping: list[Mapping[str, str]] = [
        _unexplained(deciding, rows, problem.statement),
        _decided_with_another(rows, related, problem, deciding),
        _later_than_event(judged, problem.analysis.late),
        missingness_leaks(judged, problem.analysis.leakage, problem.analysis.chance),
        dict.fromkeys(set(post_outcome) & set(judged.names()), POST_OUTCOME),
    ]
    strong = _strong(related, problem.analysis.leakage)
    stops = {name for kind in stopping for name in kind} | (set(strong) & set(judged.names("text")))
    reasons = {name: _reasons(name, [strong, *stopping]) for name in judged.names()}
    return [
        Suspect(column=name, reason="; ".join(found), stops=name in stops)
        for name, found in sorted(reasons.items(), key=lambda item: -len(item[1]))
        if found
    ]


def _reasons(name: str, kinds: list[Mapping[str, str]]) -> list[str]:
    """All reasons for a column; that it decides alone is told by how strongly, where that is."""
    found = [kind[name] for kind in kinds if name in kind]
    return [one for one in found if one != ALONE or name not in kinds[0]]


def confirmed_columns(problem: Problem) -> frozenset[str]:
    """Columns that are known at the time of prediction, as the contract says.

    They are those in `features.known`, those of the rule that people answer by today, and history,
    which is looked up as of each row's time.
    """
    rule = parse(problem.baseline.rule).columns if problem.baseline.rule else frozenset()
    history = {window.as_ for window in problem.features.windows}
    return frozenset({*problem.features.known, *rule, *history})


def _strong(related: Mapping[str, Related], limit: float) -> dict[str, str]:
    return {
        name: f"nearly determines the target alone ({found.measure} {found.value:.3g})"
        for name, found in related.items()
        if found.strength >= limit and found.significant
    }


def _deciding(rows: Dataset, problem: Problem) -> dict[str, str]:
    """Name the columns that decide the target alone, as copies of it do, and counters of rows that
    were sorted by it.
    """
    reasons = {column.name: _decides(rows, column, problem) for column in rows.columns}
    return {name: reason for name, reason in reasons.items() if reason}


def _unexplained(deciding: Mapping[str, str], rows: Dataset, statement: str) -> dict[str, str]:
    """Leave out numbers that the problem's statement names, of which a threshold decides.

    They are what it asks to be answered from.
    """
    return {
        column.name: deciding[column.name]
        for column in rows.columns
        if column.name in deciding
        and not (is_named(column.name, statement) and _is_a_measure(rows, column))
    }


def _spread(sample: Dataset, most: int) -> Dataset:
    """At most so many rows, evenly spaced: rows that were sorted by the target keep all classes."""
    return sample.take(
        np.unique(np.linspace(0, len(sample) - 1, min(most, len(sample))).astype(int))
    )


def _decides(rows: Dataset, column: Column, problem: Problem) -> str:
    """Say how a column decides the target alone, "" where it does not."""
    limits, classes = problem.analysis, len(rows.classes)
    if len(rows) < limits.fewest_rows or column.kind == "text":
        return ""
    values = rows.data[column.name]
    if column.kind == "category":
        return _category_decides(rows, values, problem)
    numbers = as_numbers(values, column.kind)
    if classes:
        decides = decides_classes(numbers, rows.target, classes, limits.leakage)
        return ALONE if decides else ""
    if copies_number(numbers, rows.target, limits.fewest_rows):
        return "is the target in other words: the same order in every row"
    return _bands(numbers, rows.target, limits.leakage)


def _category_decides(rows: Dataset, values: Array, problem: Problem) -> str:
    codes, limit = category_codes(values), problem.analysis.leakage
    if not rows.classes:
        return _bands(codes, rows.target, limit)
    return ALONE if groups_decide(codes, rows.target, limit) else ""


def _bands(values: Array, target: Array, limit: float) -> str:
    names, groups = np.unique(values, return_inverse=True)
    if len(names) > FEW_VALUES or not bands_of(groups.reshape(-1), target, limit):
        return ""
    return f"divides the target into {len(names)} bands"


def _is_a_measure(rows: Dataset, column: Column) -> bool:
    """Whether these are numbers of which each class has several: a code of the class has one."""
    if column.kind != "number" or not rows.classes:
        return False
    values = rows.data[column.name]
    parts = [values[rows.target == code] for code in np.unique(rows.target)]
    return all(len(np.unique(part[np.isfinite(part)])) > 1 for part in parts)


def _decided_with_another(
    rows: Dataset, related: Mapping[str, Related], problem: Problem, alone: Collection[str]
) -> dict[str, str]:
    """Name of each pair that decides the column that says more alone, unless it is confirmed.

    A column that decides `alone` does so beside any other, so that its pairs say nothing.
    """
    confirmed = confirmed_columns(problem)
    found = {}
    for pair in decisive_pairs(rows, related, problem.analysis, alone):
        names = [name for name in (pair.first, pair.second) if name not in confirmed]
        named = all(is_named(name, problem.statement) for name in (pair.first, pair.second))
        if names and not named:
            other = pair.second if names[0] == pair.first else pair.first
            found[names[0]] = f"decides the target together with {other} (by their {pair.form})"
    return found


def _later_than_event(sample: Dataset, limit: float) -> dict[str, str]:
    if sample.event_time is None:
        return {}
    timed = ~is_missing("timestamp", sample.event_time)
    reasons = {}
    for name in sample.names("timestamp"):
        known = timed & ~is_missing("timestamp", sample.data[name])
        if not known.any():
            continue
        later = float(np.mean(sample.data[name][known] > sample.event_time[known]))
        if later > limit:
            reasons[name] = (
                f"lies after the event time in {later:.0%} of the rows: known by then only where "
                "it is a plan"
            )
    return reasons
