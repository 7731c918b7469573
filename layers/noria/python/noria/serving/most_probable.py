"""Which classes an answer names, where the target has many."""

import heapq
from collections.abc import Sequence
from operator import itemgetter

from noria.core.model.answers import Answer


def most_probable(answers: Sequence[Answer], most: int) -> list[Answer]:
    """Name the `most` probable classes of each answer, the most probable first.

    `others` is what all the rest have together. Answers of fewer classes stay as they are.
    """
    return [_shortened(answer, most) for answer in answers]


def _shortened(answer: Answer, most: int) -> Answer:
    every = answer.get("probabilities", {})
    if len(every) <= most:
        return answer
    named = heapq.nlargest(most, every.items(), key=itemgetter(1))
    others = max(0.0, 1 - sum(value for _, value in named))
    return {**answer, "probabilities": dict(named), "others": others}
