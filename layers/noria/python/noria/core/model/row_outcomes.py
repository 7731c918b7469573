"""Answers for rows of which some may be refused: what is wrong with one row is no other's fault."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from noria.errors import RequestError

ERROR = "error"
Row = Mapping[str, Any]
Outcome = Mapping[str, Any]
Answering = Callable[[Sequence[Row]], Sequence[Outcome]]

#: How a request's refusal names its only row: in a file that number would mislead.
ONLY_ROW = re.compile(r"^row 0(?:, |: | )")


def outcomes(rows: Sequence[Row], answer: Answering) -> list[Outcome]:
    """Answer rows as one request; `{"error": reason}` for each that the endpoint would refuse.

    A refused request is halved until its bad rows stand alone, so each reason is what the endpoint
    says of that row, whatever refuses it. The others are then answered together: the last digits of
    a score can depend on how many rows are computed at once.
    """
    try:
        return list(answer(rows))
    except RequestError as refusal:
        if len(rows) == 1:
            return [{ERROR: _reason(refusal)}]
    refused = dict(_refused(rows, 0, answer))
    if not refused:  # each is good, and all together are too many
        middle = len(rows) // 2
        return [*outcomes(rows[:middle], answer), *outcomes(rows[middle:], answer)]
    good = [row for number, row in enumerate(rows) if number not in refused]
    answered = iter(outcomes(good, answer) if good else [])
    return [
        {ERROR: refused[number]} if number in refused else next(answered)
        for number in range(len(rows))
    ]


def _refused(rows: Sequence[Row], first: int, answer: Answering) -> Iterator[tuple[int, str]]:
    """The bad ones among rows that were refused together; `first` is the number of the first."""
    middle = len(rows) // 2
    for start, some in ((0, rows[:middle]), (middle, rows[middle:])):
        try:
            answer(some)
        except RequestError as refusal:
            if len(some) == 1:
                yield first + start, _reason(refusal)
            else:
                yield from _refused(some, first + start, answer)


def _reason(refusal: RequestError) -> str:
    return ONLY_ROW.sub("", str(refusal))
