"""The columns that each recipe works on: those of the iteration before, and those found weak."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from noria.common.arrays import Array
from noria.core.data.dataset import Dataset
from noria.core.evaluation.error_findings import Findings
from noria.core.features.recipe_choice import MOST_PAIRS, weak_categories, weak_pairs, weak_ranges

T = TypeVar("T")
Pairs = tuple[tuple[str, str], ...]
Parts = dict[str, Any]
SAMPLE_ROWS = 20_000
STRONGEST = 4
FEW_COLUMNS = 10
MAXIMUM_SPANS = 3


def basic_parts(dataset: Dataset) -> Parts:
    """Numbers and categories; where there are none, times as they elapse, or texts."""
    numbers, categories = tuple(dataset.names("number")), tuple(dataset.names("category"))
    times, texts = tuple(dataset.names("timestamp")), tuple(dataset.names("text"))
    alone = not numbers and not categories
    return {
        "numbers": numbers,
        "categories": categories,
        "elapsed": times if alone else (),
        "texts": texts if alone and not times else (),
    }


def added_by(
    steps: Sequence[str], dataset: Dataset, findings: Findings, before: Mapping[str, Any]
) -> Parts:
    """State the parts that these steps add to the basic ones; `before` has the last iteration's."""
    times = dataset.names("timestamp")
    parts: dict[str, Parts] = {
        "calendar": {
            "calendars": tuple(times),
            "elapsed": (),
            "spans": _pairs(times)[:MAXIMUM_SPANS],
        },
        "target_encoding": {"target_means": _target_means(dataset, findings, before)},
        "text": {"texts": tuple(dataset.names("text"))},
    }
    if "interactions" in steps:
        parts["interactions"] = _interactions(dataset, findings, before)
    return {part: value for step in steps for part, value in parts.get(step, {}).items()}


def _target_means(
    dataset: Dataset, findings: Findings, before: Mapping[str, Any]
) -> tuple[str, ...]:
    """Take those of the iteration before and those found weak; all categories where none is."""
    chosen = [*before.get("target_means", ()), *weak_categories(findings)]
    return _distinct(chosen or dataset.names("category"))


def _interactions(dataset: Dataset, findings: Findings, before: Mapping[str, Any]) -> Parts:
    """Take those of the last iteration and those found weak, then the strongest numbers' pairs."""
    strongest = strongest_numbers(dataset)[:STRONGEST]
    kept = [*before.get("pairs", ()), *weak_pairs(findings)[:MOST_PAIRS]]
    pairs = _distinct([*kept, *_pairs(strongest)])
    few = len(dataset.columns) <= FEW_COLUMNS
    squares = [*before.get("squares", ()), *weak_ranges(findings), *(strongest if few else ())]
    return {"pairs": pairs[: max(len(_distinct(kept)), MOST_PAIRS)], "squares": _distinct(squares)}


def strongest_numbers(dataset: Dataset) -> list[str]:
    """Rank number columns by the absolute correlation of their ranks with the target's."""
    rows = np.flatnonzero(~dataset.holdout)[-SAMPLE_ROWS:]
    target = _ranks(dataset.target[rows].astype(np.float64))
    strength = {
        name: _correlation(dataset.data[name][rows], target) for name in dataset.names("number")
    }
    return sorted(strength, key=lambda name: (-strength[name], name))


def _correlation(values: Array, target: Array) -> float:
    known = ~np.isnan(values)
    ranks, other = _ranks(values[known]), target[known]
    if len(ranks) < 3 or ranks.std() == 0 or other.std() == 0:
        return 0.0
    return float(abs(np.corrcoef(ranks, other)[0, 1]))


def _ranks(values: Array) -> Array:
    return np.asarray(np.unique(values, return_inverse=True)[1], dtype=np.float64)


def _distinct(values: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(values))


def _pairs(names: Sequence[str]) -> Pairs:
    return tuple((one, other) for i, one in enumerate(names) for other in names[i + 1 :])
