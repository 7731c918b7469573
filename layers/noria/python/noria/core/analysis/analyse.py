"""Analysis: what the dataset holds, set against the problem's target, as numbers for a report."""

from collections.abc import Iterable

import numpy as np
from pydantic import BaseModel

from noria.common.messages import counted
from noria.contracts import Analysis as Limits
from noria.contracts import Problem
from noria.core.analysis import profiling
from noria.core.analysis.dataset_shift import Shifts, shifts
from noria.core.analysis.distributions import Distribution, by_target
from noria.core.analysis.leakage import Suspect, leakage_suspects
from noria.core.analysis.missingness import Missingness, missingness
from noria.core.analysis.redundancy import MOST_PAIRS, Redundant, redundant_pairs
from noria.core.analysis.seasonality import HeatMap, Season, heat_map, seasons
from noria.core.analysis.time_coverage import TimeProfile, profile_time
from noria.core.data.dataset import Dataset
from noria.core.statistics.association import (
    NONE,
    Related,
    Relation,
    category_to_target,
    holm,
    number_to_target,
    text_to_target,
)

SAMPLE_SEED = 20130101  # fixed, so that a run repeated gives the same numbers
CHARTED = 8


class AnalysedColumn(BaseModel):
    """What one column holds and how it goes with the target."""

    name: str
    profile: profiling.Profile
    related: Related
    drift: float | None = None


class AnalysisResult(BaseModel):
    """The numbers of a run's data; relations, suspicion and seasons come from training rows alone.

    Profiles and what is missing are of all rows, the holdout's included.

    `leakage_suspects` lists the columns of `leakage`.
    """

    rows: int
    training_rows: int
    holdout_rows: int
    sampled_rows: int
    columns: list[AnalysedColumn]
    target: profiling.TargetProfile
    time: TimeProfile | None
    seasons: list[Season]
    heat_map: HeatMap | None
    redundant: list[Redundant]
    leakage_suspects: list[str]
    leakage: list[Suspect]
    missing: Missingness
    shifts: Shifts
    drifted: list[str]
    distributions: list[Distribution]
    notes: list[str]


def analyse(dataset: Dataset, problem: Problem, post_outcome: Iterable[str] = ()) -> AnalysisResult:
    """Describe the columns and the target, and find relations, redundancy, leaks, seasons, drift.

    `post_outcome`: columns that Transform found filled only where the target is known.
    """
    limits, training = problem.analysis, dataset.training
    sample = sampled(training, limits.sample_rows)
    related = relations(sample, limits)
    moved = shifts(sampled_in_order(dataset, limits.sample_rows), problem)
    suspects = leakage_suspects(sample, related, problem, post_outcome)
    columns = _columns(dataset, related, moved)
    redundant = redundant_pairs(sampled(sample, limits.pair_rows), limits)
    return AnalysisResult(
        rows=len(dataset),
        training_rows=len(training),
        holdout_rows=len(dataset) - len(training),
        sampled_rows=len(sample),
        columns=columns,
        target=profiling.profile_target(dataset),
        time=profile_time(dataset, limits),
        seasons=seasons(training, limits),
        heat_map=heat_map(training, limits),
        redundant=redundant,
        leakage_suspects=[suspect.column for suspect in suspects],
        leakage=suspects,
        missing=missingness(sampled(dataset, limits.sample_rows), limits.redundancy),
        shifts=moved,
        drifted=moved.drifted,
        distributions=[by_target(sample, column.name) for column in columns[:CHARTED]],
        notes=[*_notes(dataset, sample, redundant, limits), *moved.notes],
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


def relations(sample: Dataset, limits: Limits) -> dict[str, Related]:
    """Relate every column to the target; p values are corrected for all columns (Holm 1979)."""
    found = {
        column.name: _relation(sample, column.name, column.kind, limits.words)
        for column in sample.columns
    }
    corrected = holm([relation.p_value for relation in found.values()])
    return {
        name: Related(
            measure=relation.measure,
            value=relation.value,
            strength=relation.strength,
            p_value=p_value,
            significant=p_value < limits.significance,
        )
        for (name, relation), p_value in zip(found.items(), corrected, strict=True)
    }


def _relation(sample: Dataset, name: str, kind: str, words: int) -> Relation:
    values, classes = sample.data[name], len(sample.classes)
    if len(sample) < 3:
        return NONE
    if kind == "category":
        return category_to_target(values, sample.target, classes)
    if kind == "text":
        return text_to_target(values, sample.target, classes, words)
    return number_to_target(profiling.as_numbers(values, kind), sample.target, classes)


def _columns(dataset: Dataset, related: dict[str, Related], moved: Shifts) -> list[AnalysedColumn]:
    """Describe every column, the most related to the target first."""
    drift = {shift.column: shift.psi for shift in moved.columns}
    columns = [
        AnalysedColumn(
            name=column.name,
            profile=profiling.profile_column(dataset.data[column.name], column.kind),
            related=related[column.name],
            drift=drift.get(column.name),
        )
        for column in dataset.columns
    ]
    return sorted(columns, key=lambda column: -column.related.strength)


def _corrected(dataset: Dataset) -> str:
    told = f"p values are corrected for {counted(len(dataset.columns), 'column')} (Holm)"
    texts = ", a text's also for the words that were tried (Bonferroni)."
    return told + (texts if dataset.names("text") else ".")


def _notes(
    dataset: Dataset, sample: Dataset, redundant: list[Redundant], limits: Limits
) -> list[str]:
    notes = []
    if len(sample) < int((~dataset.holdout).sum()):
        notes.append(
            f"Relations are estimated on {counted(len(sample), 'training row')}, drawn with seed "
            f"{SAMPLE_SEED}."
        )
    if len(dataset) > limits.sample_rows:
        notes.append(
            f"Shares of what is missing together are those of {limits.sample_rows:,} rows, drawn "
            "with the same seed; all other shares of missing values are of all rows."
        )
    notes.append(_corrected(dataset))
    if dataset.event_time is not None:
        notes.append(
            "p values assume independent rows: where rows are autocorrelated in time, "
            "they are too small, and the strength says more."
        )
    if len(redundant) == MOST_PAIRS:
        notes.append(f"Of the redundant pairs only the {MOST_PAIRS} strongest are kept.")
    return notes
