"""What of a request is unlike anything that training saw: told beside the answers.

A model answers all the same, but nothing that was measured of it holds for such rows. Times are
left out, as they always move on; a field that training filled (`fill`) may be missing.
"""

from collections.abc import Iterator, Mapping
from typing import Literal, TypedDict

import numpy as np
from numpy.typing import NDArray

from noria.common.arrays import Array
from noria.common.messages import ascii_repr, counted
from noria.core.data.dataset import MISSING_CATEGORY, is_missing
from noria.core.model.signature import Field, Signature, input_name

MOST_WARNINGS = 20  # so that a wrong file of hundreds of columns is told in some kilobytes
NAMED_ROWS = 5

Unlike = Literal["unseen_category", "out_of_range", "missing", "more"]


class AnswerWarning(TypedDict):
    """One field of a request: how it is unlike training, in how many rows, and which first."""

    field: str
    warning: Unlike
    count: int
    rows: list[int]
    message: str


_COMPARED = ("number", "category")  # with what is usual first: of most requests nothing is said


class TrainingLimits:
    """What a model's training saw: numbers of all fields are compared with it as one table."""

    def __init__(self, signature: Signature) -> None:
        self._fields = signature.columns
        self._numbers = [field for field in signature.columns if field.kind == "number"]
        self._names = [input_name(field.name) for field in self._numbers]
        self._categories = [
            (field, input_name(field.name), _usual_texts(field))
            for field in signature.columns
            if field.kind == "category"
        ]
        limits = [(field.minimum, field.maximum) for field in self._numbers]
        self._low = np.array([-np.inf if low is None else low for low, _ in limits])
        self._high = np.array([np.inf if high is None else high for _, high in limits])
        self._optional = np.array([not _always_there(field) for field in self._numbers], dtype=bool)

    def warnings(self, inputs: Mapping[str, Array]) -> list[AnswerWarning]:
        """Warn of the fields of a request, one warning per field and kind, at most 20.

        `inputs` are what the graph took, arrays of shape (rows, 1) by input name. Where there are
        more warnings, the last one counts the others.
        """
        unusual = self._unusual_numbers(inputs) | self._unusual_texts(inputs)
        found = [
            warning
            for field in self._fields
            if field.name in unusual or field.kind not in _COMPARED
            for warning in _of_field(field, inputs[input_name(field.name)].reshape(-1))
        ]
        rest = len(found) - MOST_WARNINGS
        if rest <= 0:
            return found
        told = f"{rest + 1} more warnings of other fields: send rows like those of GET /model"
        more = AnswerWarning(field="", warning="more", count=rest + 1, rows=[], message=told)
        return [*found[: MOST_WARNINGS - 1], more]

    def _unusual_texts(self, inputs: Mapping[str, Array]) -> set[str]:
        """The categories with a text that training did not have, or that it always had."""
        return {
            field.name
            for field, name, usual in self._categories
            if not usual.issuperset(inputs[name].ravel().tolist())
        }

    def _unusual_numbers(self, inputs: Mapping[str, Array]) -> set[str]:
        """The fields of numbers that are to be looked at one by one, of most requests none."""
        if not self._names:
            return set()
        table = np.concatenate([inputs[name] for name in self._names], axis=1)
        usual = (table >= self._low) & (table <= self._high)
        if usual.all():
            return set()
        usual |= np.isnan(table) & self._optional
        places = np.flatnonzero(~np.all(usual, axis=0)).tolist()
        return {self._numbers[place].name for place in places}


def _usual_texts(field: Field) -> frozenset[str]:
    """The texts of a category of which there is nothing to say; empty where each is looked at."""
    if field.seen_texts is None:
        return frozenset()
    missing = {MISSING_CATEGORY}
    return field.seen_texts - missing if _always_there(field) else field.seen_texts | missing


def _always_there(field: Field) -> bool:
    """Whether a missing value is news: training had none, and nothing stands in for it."""
    return field.missing == 0 and field.fill is None


def _of_field(field: Field, values: Array) -> Iterator[AnswerWarning]:
    if field.kind == "category":
        yield from _of_texts(field, values)
        return
    if _always_there(field):
        yield from _missing(field, is_missing(field.kind, values))
    if field.kind == "number":
        yield from _out_of_range(field, values)


def _of_texts(field: Field, values: Array) -> Iterator[AnswerWarning]:
    texts = set(values.tolist())
    if MISSING_CATEGORY in texts and _always_there(field):
        yield from _missing(field, is_missing(field.kind, values))
    unseen = texts - field.seen_texts if field.seen_texts is not None else None
    if unseen:
        rows = np.array([text in unseen for text in values.tolist()])
        first = ascii_repr(str(values[int(np.argmax(rows))]))
        yield _warning(field, "unseen_category", rows, f"{first} was not seen in training")


def _missing(field: Field, gone: NDArray[np.bool_]) -> Iterator[AnswerWarning]:
    if gone.any():
        yield _warning(field, "missing", gone, "missing, which it never was in training")


def _out_of_range(field: Field, values: Array) -> Iterator[AnswerWarning]:
    """A missing number compares as false."""
    if field.minimum is None or field.maximum is None:
        return
    below, above = values < field.minimum, values > field.maximum
    if not (below.any() or above.any()):
        return
    first = int(np.argmax(below | above))
    end = f"below {_shown(field.minimum, field)}, the smallest" if below[first] else (
        f"above {_shown(field.maximum, field)}, the largest"
    )  # fmt: skip
    told = f"{_shown(values[first], field)} is {end} that training saw"
    yield _warning(field, "out_of_range", below | above, told)


def _warning(field: Field, warning: Unlike, rows: NDArray[np.bool_], told: str) -> AnswerWarning:
    places = np.flatnonzero(rows)
    named = places[:NAMED_ROWS].tolist()
    also = f" ({counted(len(places), 'row')} such)" if len(places) > 1 else ""
    message = f"row {named[0]}, field {ascii_repr(field.name)}: {told}{also}"
    return AnswerWarning(
        field=field.name, warning=warning, count=len(places), rows=named, message=message
    )


def _shown(number: float, field: Field) -> str:
    """A number by the fewest digits that tell it in the precision of its field."""
    shortest = str(number if field.double else np.float32(number))
    return repr(float(shortest)).removesuffix(".0")
