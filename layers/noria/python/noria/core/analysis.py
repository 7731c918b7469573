"""Analysis: what the dataset holds, set against the problem's target, as numbers for a report."""

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from noria.contracts import Problem
from noria.core import profiling
from noria.core.dataset import Dataset
from noria.core.relations import (
    NONE,
    Relation,
    category_to_target,
    holm,
    number_to_target,
    redundant_numbers,
)

SAMPLE_ROWS = 20_000  # relations are estimated on at most so many rows
PAIR_ROWS = 5_000
REDUNDANT = 0.95  # |rho| above which one of two columns adds almost nothing
SUSPICIOUS = 0.98  # strength (2·AUC-1, |rho|, V) at which one column alone nearly decides
SIGNIFICANT = 0.05
SAMPLE_SEED = 20130101  # fixed, so that a run repeated gives the same numbers
CHARTED = 8


class Related(BaseModel):
    """The relation of a column to the target; `p_value` is corrected after Holm."""

    measure: str
    value: float
    strength: float
    p_value: float
    significant: bool


class AnalysedColumn(BaseModel):
    """What one column holds and how it goes with the target."""

    name: str
    profile: profiling.Profile
    related: Related
    drift: float | None = None


class Redundant(BaseModel):
    """Two columns that say almost the same."""

    first: str
    second: str
    rho: float


class Analysis(BaseModel):
    """The numbers of a run's data; relations and suspicion come from training rows alone."""

    rows: int
    training_rows: int
    holdout_rows: int
    sampled_rows: int
    columns: list[AnalysedColumn]
    target: profiling.TargetProfile
    time: profiling.TimeProfile | None
    redundant: list[Redundant]
    leakage_suspects: list[str]
    drifted: list[str]
    distributions: list[profiling.Distribution]
    notes: list[str]


def analyse(dataset: Dataset, problem: Problem) -> Analysis:
    """Describe the columns, the target, their relations, redundancy, leakage and drift."""
    sample = sampled(dataset.training, SAMPLE_ROWS)
    related = _relations(sample)
    drift = profiling.drift_by_column(sampled_in_order(dataset, SAMPLE_ROWS))
    columns = [
        AnalysedColumn(
            name=column.name,
            profile=profiling.profile_column(dataset.data[column.name], column.kind),
            related=related[column.name],
            drift=drift.get(column.name),
        )
        for column in dataset.columns
    ]
    strongest = sorted(columns, key=lambda column: -column.related.strength)
    return Analysis(
        rows=len(dataset),
        training_rows=int((~dataset.holdout).sum()),
        holdout_rows=int(dataset.holdout.sum()),
        sampled_rows=len(sample),
        columns=strongest,
        target=profiling.profile_target(dataset),
        time=profiling.profile_time(dataset),
        redundant=_redundant(sample),
        leakage_suspects=[c.name for c in strongest if c.related.strength >= SUSPICIOUS],
        drifted=[c.name for c in columns if (c.drift or 0) > problem.monitoring.drift],
        distributions=[
            profiling.distribution(sample, column.name) for column in strongest[:CHARTED]
        ],
        notes=_notes(dataset, sample),
    )


def sampled(dataset: Dataset, rows: int) -> Dataset:
    """Draw at most so many rows, always the same ones, in their order."""
    if len(dataset) <= rows:
        return dataset
    generator = np.random.default_rng(SAMPLE_SEED)
    return dataset.take(np.sort(generator.choice(len(dataset), size=rows, replace=False)))


def sampled_in_order(dataset: Dataset, rows: int) -> Dataset:
    """Draw a sample and put it in the order of the event time, where there is one."""
    sample = sampled(dataset, rows)
    if sample.event_time is None:
        return sample
    return sample.take(np.argsort(sample.event_time, kind="stable"))


def _relations(sample: Dataset) -> dict[str, Related]:
    found = {column.name: _relation(sample, column.name, column.kind) for column in sample.columns}
    corrected = holm([relation.p_value for relation in found.values()])
    return {
        name: Related(
            measure=relation.measure,
            value=relation.value,
            strength=relation.strength,
            p_value=p_value,
            significant=p_value < SIGNIFICANT,
        )
        for (name, relation), p_value in zip(found.items(), corrected, strict=True)
    }


def _relation(sample: Dataset, name: str, kind: str) -> Relation:
    values, classes = sample.data[name], len(sample.classes)
    if len(sample) < 3:
        return NONE
    if kind == "category":
        return category_to_target(values, sample.target, classes)
    return number_to_target(profiling.as_numbers(values, kind), sample.target, classes)


def _redundant(sample: Dataset) -> list[Redundant]:
    smaller = sampled(sample, PAIR_ROWS)
    names = [column.name for column in smaller.columns if column.kind != "category"]
    table = _table(smaller, names)
    numbers = redundant_numbers(table, REDUNDANT) if names else []
    return [
        Redundant(first=names[a], second=names[b], rho=rho) for a, b, rho in numbers
    ] + _same_categories(smaller)


def _table(sample: Dataset, names: list[str]) -> NDArray[np.float64]:
    kinds = {column.name: column.kind for column in sample.columns}
    parts = [profiling.as_numbers(sample.data[name], kinds[name]) for name in names]
    return np.column_stack(parts) if parts else np.empty((len(sample), 0))


def _same_categories(sample: Dataset) -> list[Redundant]:
    """Find categories that are each other's code, such as a carrier's code and its name."""
    coded = {
        name: np.unique(sample.data[name], return_inverse=True) for name in sample.names("category")
    }
    names = [name for name, (values, _) in coded.items() if len(values) > 1]
    pairs = []
    for place, first in enumerate(names):
        for second in names[place + 1 :]:
            (left, a), (right, b) = coded[first], coded[second]
            if len(left) == len(right) == len(np.unique(a.astype(np.int64) * len(right) + b)):
                pairs.append(Redundant(first=first, second=second, rho=1.0))
    return pairs


def _notes(dataset: Dataset, sample: Dataset) -> list[str]:
    notes = []
    if len(sample) < int((~dataset.holdout).sum()):
        notes.append(
            f"Relations are estimated on {len(sample):,} training rows, drawn with seed "
            f"{SAMPLE_SEED}."
        )
    notes.append(f"p values are corrected for {len(dataset.columns)} columns (Holm).")
    return notes
