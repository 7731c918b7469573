"""How two versions' answers differ: to the same rows, or to requests that chance shared out."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from noria.common.arrays import Array
from noria.common.messages import ascii_repr
from noria.core.lifecycle.canary import MEASURABLE
from noria.core.lifecycle.replay import OK, AnswerChange, ReplayedAnswer, is_number
from noria.core.statistics.drift import compare_scores

MOVED = 0.1  # standard deviations by which a number is another one
UNLIKELY = 0.001  # the chance of so many equal answers, below which they are no chance


def compare_answers(
    new: Sequence[ReplayedAnswer], old: Sequence[ReplayedAnswer]
) -> AnswerChange | None:
    """Compare answers to the same rows, as far as both versions gave one; None without any."""
    both = [
        (one, other)
        for one, other in zip(new, old, strict=False)
        if one.status == OK and other.status == OK
    ]
    if not both:
        return None
    decisions = [(one.prediction, other.prediction) for one, other in both]
    numeric = all(is_number(value) for pair in decisions for value in pair)
    scored = any(other.score is not None for _, other in both)
    if numeric and not scored:
        changed = _moved(*(np.array(side, np.float64) for side in zip(*decisions, strict=True)))
    else:
        changed = sum(one != other for one, other in decisions) / len(decisions)
    values = ([one.value for one, _ in both], [other.value for _, other in both])
    return AnswerChange(len(both), changed, score_psi(*values))


def score_psi(new: Sequence[Any], old: Sequence[Any]) -> float:
    """The corrected population stability index of answers: numbers by decile, classes as such."""
    numeric = all(is_number(value) for value in (*new, *old))
    kind = np.float64 if numeric else np.str_
    return compare_scores(np.array(old, kind), np.array(new, kind)).psi


def constant_answers(new: Sequence[Any], old: Sequence[Any], usual: float) -> str | None:
    """Say that a canary answers the same to everything, where the old version does not.

    `usual` is the share of the answer that the new version gave most often when it was rehearsed:
    a rule of two values answers the same several times in a row.
    """
    if len(new) < MEASURABLE or len(set(new)) > 1 or len(set(old)) <= 1:
        return None
    if usual ** len(new) >= UNLIKELY:
        return None
    return (
        f"all {len(new)} answers of the canary are {ascii_repr(new[0])}, the old version gave "
        f"{len(set(old))} different ones to the same traffic"
    )


def logged_values(records: Sequence[Mapping[str, Any]], version: str) -> list[Any]:
    """What a function version answered, by the log: a score that is one number, else the class."""
    return [
        record["score"] if is_number(record.get("score")) else record.get("prediction")
        for record in records
        if record.get("function_version") == version
    ]


def _moved(new: Array, old: Array) -> float:
    scale = float(old.std()) or 1.0
    return float(np.mean(np.abs(new - old) > MOVED * scale))
