"""Numbers as people write them: thousands, decimal commas, a currency sign, percent."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from noria.core.column_types.currencies import currency_of
from noria.core.column_types.numerals import Numeral, numeral_of

PROBED = 100
EXAMPLES = 3


@dataclass(frozen=True)
class Numerals:
    """Texts read as numbers (NaN where one is none), or the question that keeps them from it.

    `decimal` is their decimal mark, `examples` shows how texts that are not plainly numbers were
    read, first those that determined the decimal mark. `question` is a clause about
    the column's values, `undecided` whether the contract's `decimal` answers it.
    """

    numbers: NDArray[np.float64] | None = None
    decimal: str = "."
    examples: tuple[str, ...] = ()
    question: str | None = None
    undecided: bool = False


def read_numerals(
    texts: Sequence[str], counts: Sequence[int], share: float, decimal: str | None = None
) -> Numerals | None:
    """Read distinct tidy texts as numbers, if at least a share of them are; None where not.

    `counts` says how often each occurs. The decimal mark is the given one, else the only one by
    which enough of the texts are numbers; where both read enough, one is ruled out by a text that
    only the other reads. Percent and currency signs are left out: 12% is 12.
    """
    weights = np.asarray(counts, dtype=np.float64)
    if not len(texts) or not _probable(texts, share):
        return None
    parts = [numeral_of(text) for text in texts]
    alike = [part for part in parts if part is not None]
    known = np.array([part is not None for part in parts])
    if weights[known].sum() < share * weights.sum() or (decimal is None and _are_codes(alike)):
        return None
    asked = _about_signs(alike)
    if asked is not None:
        return Numerals(question=asked)
    marks = (".", ",") if decimal is None else (decimal,)
    readings = {mark: np.array([_number(part, mark) for part in parts]) for mark in marks}
    return _chosen(texts, weights, readings, share)


def _probable(texts: Sequence[str], share: float) -> bool:
    """Look at a few texts first, as a column of prose has many."""
    some = texts[:PROBED]
    return sum(numeral_of(text) is not None for text in some) >= share * len(some) / 2


def _number(part: Numeral | None, mark: str) -> float:
    number = part.value(mark) if part is not None else None
    return np.nan if number is None else number


def _are_codes(parts: Sequence[Numeral]) -> bool:
    """Tell names from quantities: digits in groups such as 732 829 320, (1) and RM12."""
    if all(part.is_whole and (part.bracketed or part.attached) for part in parts):
        return True
    blanks = all(" " in part.digits and part.digits.count(",") == 0 for part in parts)
    alike = len({len(part.digits) for part in parts}) == 1
    return blanks and alike and not any(part.sign or part.percent for part in parts)


def _about_signs(parts: Sequence[Numeral]) -> str | None:
    """Ask where texts have several currencies, or some a percent sign and others none."""
    signs = {currency_of(part.sign): part.sign for part in parts if part.sign}
    if len(signs) > 1:
        return f"amounts are in several currencies ({', '.join(sorted(signs.values()))})"
    bare = [part.digits for part in parts if not part.percent and part.digits.strip("0.,")]
    if bare and len(bare) < len(parts) and any(part.percent for part in parts):
        return f"some values are percentages and others, such as {bare[0]!r}, are not"
    return None


def _chosen(
    texts: Sequence[str],
    weights: NDArray[np.float64],
    readings: dict[str, NDArray[np.float64]],
    share: float,
) -> Numerals | None:
    """Choose the decimal mark by which enough texts are numbers, if there is one only."""
    known = {mark: ~np.isnan(numbers) for mark, numbers in readings.items()}
    wanted = share * weights.sum()
    enough = [mark for mark in readings if weights[known[mark]].sum() >= wanted]
    either = np.logical_or.reduce(list(known.values()))
    if len(enough) == 1:
        return _read(texts, readings, enough[0], decisive=either & ~_all(known))
    if weights[either].sum() < wanted:
        return None
    point, comma = known["."] & ~known[","], known[","] & ~known["."]
    if point.any() and comma.any():
        shown = f"{_first(texts, point)!r} has a decimal point and {_first(texts, comma)!r} a comma"
        return Numerals(question=shown, undecided=True)
    if point.any() or comma.any():
        return _read(texts, readings, "." if point.any() else ",", decisive=point | comma)
    unlike = _all(known) & (readings["."] != readings[","])
    if not unlike.any():
        return _read(texts, readings, ".", decisive=unlike)
    place = int(unlike.argmax())
    shown = " or ".join(f"{readings[mark][place]:.15g}" for mark in readings)
    others = [repr(texts[other]) for other in np.flatnonzero(unlike)[1:EXAMPLES].tolist()]
    listed = f" (also {', '.join(others)})" if others else ""
    return Numerals(question=f"{texts[place]!r} could be {shown}{listed}", undecided=True)


def _all(known: dict[str, NDArray[np.bool_]]) -> NDArray[np.bool_]:
    return np.asarray(np.logical_and.reduce(list(known.values())))


def _first(texts: Sequence[str], where: NDArray[np.bool_]) -> str:
    return texts[int(where.argmax())]


def _read(
    texts: Sequence[str],
    readings: dict[str, NDArray[np.float64]],
    mark: str,
    decisive: NDArray[np.bool_],
) -> Numerals:
    """Read by one mark; the examples are first texts that determined it, then others."""
    numbers = readings[mark]
    places = np.argsort(~decisive, kind="stable").tolist()
    shown = [
        f"{texts[place]!r} is {numbers[place]:.15g}"
        for place in places
        if not np.isnan(numbers[place]) and _plainly(texts[place]) != numbers[place]
    ]
    return Numerals(numbers, mark, tuple(shown[:EXAMPLES]))


def _plainly(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return np.nan
