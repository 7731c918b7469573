"""What the recipes could make of the columns, in the cheap forms that the quick model sees too."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from noria.common.arrays import Array
from noria.common.formatting import joined_with_and
from noria.core.data.dataset import Dataset
from noria.core.features.encoders import FeatureStep
from noria.core.features.feature_encoder import frame_of
from noria.core.features.recipes.interactions import strongest_numbers
from noria.core.features.time_encoders import Calendar, Span

MOST_TIMES, MOST_NUMBERS = 5, 8  # columns: 10 spans and 28 pairs


@dataclass(frozen=True)
class Form:
    """One way to look at columns: its values in both parts, and how people call it."""

    name: str
    training: Array
    judged: Array


def forms_of(training: Dataset, judged: Dataset) -> list[Form]:
    """Compute the calendar of times, the spans between them, and what pairs of numbers make.

    Up to 5 times, and up to the 8 numbers that go most with the target.
    """
    times = training.names("timestamp")[:MOST_TIMES]
    parts = f"minute of the day, weekday and day of the year of {_listed(times)}"
    steps: list[tuple[str, FeatureStep]] = [(parts, Calendar(name, False)) for name in times]
    steps += [(f"the time between {_listed(times)}", Span(*two)) for two in combinations(times, 2)]
    found = [_of_step(name, step, training, judged) for name, step in steps]
    return [*found, *_of_pairs(training, judged)]


def _of_step(name: str, step: FeatureStep, training: Dataset, judged: Dataset) -> Form:
    left, right = (frame_of(part.only(step.reads)) for part in (training, judged))
    return Form(name, step.fit_transform(left, training.target), step.transform(right))


def _of_pairs(training: Dataset, judged: Dataset) -> Iterator[Form]:
    names = strongest_numbers(training)[:MOST_NUMBERS]
    called = f"ratios, differences and products of {_listed(names)}"
    for one, other in combinations(names, 2):
        sides = [
            _paired(*(part.data[name].astype(np.float64) for name in (one, other)))
            for part in (training, judged)
        ]
        yield Form(called, sides[0], sides[1])


def _paired(one: Array, other: Array) -> Array:
    with np.errstate(all="ignore"):
        made = np.column_stack([one / other, one - other, one * other])
    return np.where(np.isfinite(made), made, np.nan)


def named(forms: Sequence[Form]) -> str:
    """Say once which forms there are."""
    names = list(dict.fromkeys(form.name for form in forms))
    return joined_with_and(names, len(names))


def _listed(names: Sequence[str]) -> str:
    return joined_with_and([repr(name) for name in names], MOST_NUMBERS)
