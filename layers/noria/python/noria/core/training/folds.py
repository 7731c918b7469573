"""Folds of the training rows that can be scored: forward in time, by entity, by class, random."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
    TimeSeriesSplit,
)

from noria.common.arrays import Array
from noria.common.messages import counted
from noria.contracts import Problem
from noria.core.data.dataset import Dataset
from noria.errors import DataError

Split = tuple[Array, Array]
FEWEST_ROWS = 4
EVENTS = 5  # rows of each class that a fold with moved borders gets, where there are enough


@dataclass(frozen=True)
class Folds:
    """Training and test positions per fold; `note` says what is other than asked, or nothing."""

    splits: list[Split]
    note: str = ""


def label_gap(problem: Problem) -> int:
    """Seconds before a fold in which outcomes are not known yet (`monitoring.label_delay`)."""
    return int(problem.monitoring.label_delay.total_seconds())


def sample_rows(training: Dataset, most: int, seed: int) -> Dataset:
    """Keep rows spread over the whole time, a random share where there is none; in time order.

    A model learns from all the time that there is and answers for what comes after. The latest rows
    alone would rank candidates by a season that the model has long seen the others of.
    """
    return training.take(sample_positions(training, most, seed))


def sample_positions(training: Dataset, most: int, seed: int) -> NDArray[np.int64]:
    """Where the rows that `sample_rows` keeps are among the training rows."""
    if training.event_time is not None:
        ordered = np.argsort(training.event_time, kind="stable")
        if len(ordered) <= most:
            return ordered
        return ordered[np.linspace(0, len(ordered) - 1, most).astype(np.int64)]
    if len(training) <= most:
        return np.arange(len(training))
    return np.sort(np.random.default_rng(seed).choice(len(training), most, replace=False))


def folds_of(sample: Dataset, folds: int, seed: int, gap: int = 0) -> Folds:
    """Split forward in time where there is event time, else by class or at random.

    Forward folds are of equal size where each can be scored. Else there are fewer, or their borders
    are moved, so that every test fold and every training part has two classes (of numbers: more
    than one value). Rows in the `gap` (seconds) before a test fold are left out: their outcomes
    would not be known by then. Without time the rows of an entity stay together, where the dataset
    has `groups`. DataError where no fold can be scored at all.
    """
    rows = len(sample)
    if rows < FEWEST_ROWS:
        raise DataError(f"{rows} training rows are too few for folds: collect more data")
    folds = max(2, min(folds, rows // 2))
    times = sample.event_time
    if times is not None and times[0] < times[-1]:
        return _with_gap(sample, times, _forward(sample, times, folds), gap)
    return _unordered(sample, folds, seed)


def _with_gap(sample: Dataset, times: Array, found: Folds, gap: int) -> Folds:
    """Leave a gap before each test fold, but where it would take half of its training rows."""
    splits, without = [], 0
    for train, test in found.splits:
        earlier = train[times[train] < times[test].min() - gap]
        enough = 2 * len(earlier) >= len(train)
        if enough and (_can_be_scored(sample, (earlier, test)) or len(earlier) == len(train)):
            splits.append((earlier, test))
            continue
        splits.append((train, test))
        without += 1
    if not without:
        return Folds(splits, found.note)
    note = (
        f"{counted(without, 'fold')} of {len(splits)} without the gap of monitoring.label_delay, "
        "which would take half of the rows to learn from"
    )
    return Folds(splits, "; ".join(filter(None, (found.note, note))))


def _grouped(sample: Dataset, groups: Array, folds: int, seed: int) -> Folds:
    """Entities go to folds whole, with the classes spread as evenly as that allows."""
    folds = min(folds, len(np.unique(groups)))
    positions = np.arange(len(sample))
    if sample.classes:
        splitter: Any = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    else:
        splitter = GroupKFold(folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that a class has fewer rows than folds
        splits = list(splitter.split(positions, sample.target, groups))
    scored = [one for one in splits if _can_be_scored(sample, one)]
    if not scored:
        raise DataError(_one_sided(sample, "folds of whole entities"))
    kept = f"the rows of an entity stay together, of {counted(folds, 'fold')} {len(scored)} scored"
    return Folds(scored, "" if len(scored) == folds else kept)


def _unordered(sample: Dataset, folds: int, seed: int) -> Folds:
    positions = np.arange(len(sample))
    if sample.groups is not None and len(np.unique(sample.groups)) > 1:
        return _grouped(sample, sample.groups, folds, seed)
    if not sample.classes:
        return Folds(list(KFold(folds, shuffle=True, random_state=seed).split(positions)))
    counts = np.sort(np.bincount(sample.target, minlength=2))[::-1]
    # A class of one row can be in one fold only; the two largest are in all.
    fewest = min(int(counts[counts > 1].min(initial=len(sample))), int(counts[1]))
    if fewest < 2:
        raise DataError(_one_sided(sample, "folds"))
    splitter = StratifiedKFold(min(folds, fewest), shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that a class has fewer rows than folds
        splits = list(splitter.split(positions, sample.target))
    if len(splits) == folds:
        return Folds(splits)
    rarest = sample.classes[int(np.flatnonzero(np.bincount(sample.target) == fewest)[0])]
    few = counted(fewest, "training row")
    note = f"{len(splits)} folds in place of {folds}: {few} with {rarest!r}"
    return Folds(splits, note)


def _forward(sample: Dataset, times: Array, folds: int) -> Folds:
    equal = list(_equal(times, folds))
    scored = [_can_be_scored(sample, one) for one in equal]
    if all(scored):
        return Folds(equal)
    codes = _codes(sample)
    for least, fewest in ((EVENTS, 2), (1, 2), (1, 1)):
        for demanded in _demands(codes):
            for wanted in range(folds, fewest - 1, -1):
                starts = _moved(times, codes, demanded, wanted, least)
                if starts is not None:
                    return Folds(_between(starts, len(sample)), _told(wanted, folds))
    if not any(scored):
        raise DataError(_one_sided(sample, "folds that go forward in time"))
    return Folds(equal, f"{folds} folds, {scored.count(False)} of one class that cannot be scored")


def _equal(times: Array, folds: int) -> Iterator[Split]:
    """Equal folds; training rows of the very instant that the test rows begin with are left out."""
    for train, test in TimeSeriesSplit(min(folds, len(times) - 1)).split(times):
        earlier = train[times[train] < times[test[0]]]
        yield (earlier if len(earlier) else train), test


def _can_be_scored(sample: Dataset, split: Split) -> bool:
    train, test = (sample.target[rows] for rows in split)
    return bool(np.ptp(test) > 0 and (not sample.classes or np.ptp(train) > 0))


def _codes(sample: Dataset) -> NDArray[np.int64]:
    """The classes; of numbers whether one is other than the most frequent one."""
    if sample.classes:
        return np.asarray(sample.target, dtype=np.int64)
    values, counts = np.unique(sample.target, return_counts=True)
    return np.asarray(sample.target != values[counts.argmax()], dtype=np.int64)


def _demands(codes: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """The classes that every part shall have: all, else the two most frequent ones."""
    counts = np.bincount(codes)
    ordered = np.argsort(-counts, kind="stable")
    every = ordered[counts[ordered] > 0]
    return [every] if len(every) <= 2 else [every, every[:2]]


def _moved(
    times: Array, codes: NDArray[np.int64], demanded: NDArray[np.int64], folds: int, least: int
) -> list[int] | None:
    """Where test folds start so that every part has so many rows of every demanded class.

    The rows of the rarest one are dealt out evenly. None where it cannot be done.
    """
    if len(demanded) < 2:
        return None
    seen = np.cumsum(codes[:, None] == demanded, axis=0)
    ends = np.append(np.flatnonzero(np.diff(times)), len(times) - 1)  # the last row of an instant
    total, before, starts = seen[-1], np.zeros(len(demanded), dtype=np.int64), []
    for part in range(1, folds + 1):
        needed = before + least
        needed[-1] = max(needed[-1], int(np.ceil(total[-1] * part / (folds + 1))))
        if (needed > total).any():
            return None
        columns = zip(seen.T, needed.tolist(), strict=True)
        row = max(int(np.searchsorted(column, wanted)) for column, wanted in columns)
        last = int(ends[np.searchsorted(ends, row)])
        starts.append(last + 1)
        before = seen[last]
    return starts if (total - before >= least).all() else None


def _between(starts: list[int], rows: int) -> list[Split]:
    ends = [*starts[1:], rows]
    return [(np.arange(a), np.arange(a, b)) for a, b in zip(starts, ends, strict=True)]


def _told(found: int, asked: int) -> str:
    fewer = f"{found} in place of {asked} folds" if found < asked else f"{found} folds"
    return f"{fewer}, their borders moved: of {asked} equal ones some would hold one class only"


def _one_sided(sample: Dataset, folds: str) -> str:
    """Say which class is too rare, or comes at one time only, and what to do about it."""
    if not sample.classes:
        return (
            f"no {folds} can be scored: the target changes at one time only; collect rows of a "
            "longer time, or hold fewer of them out (evaluation.holdout)"
        )
    counts = np.bincount(sample.target, minlength=len(sample.classes))
    rare = int(np.where(counts > 0, counts, len(sample) + 1).argmin())
    when = ""
    if sample.event_time is not None:
        there = np.sort(sample.event_time[sample.target == rare]).astype("datetime64[s]")
        when = f", from {there[0]} to {there[-1]},"
    return (
        f"no {folds} can be scored: {counted(int(counts[rare]), 'training row')} with "
        f"{sample.classes[rare]!r}{when} cannot be on both sides of a border together with other "
        "classes; collect more of them at other times, or hold fewer rows out (evaluation.holdout)"
    )
