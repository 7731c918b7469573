"""Numbers as people write them: thousands, decimal commas, a currency sign, percent."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LONGEST = 40  # characters: a longer text is no number, and would take long to match
PROBED = 100
EXAMPLES = 3
CURRENCY = "[$¢£¤¥\u20a0-\u20cf]"
WRITTEN = re.compile(
    rf"([+\u2212-]?) ?({CURRENCY}?) ?([+\u2212-]?)"
    rf"((?:\d[\d.,'\u2019 ]*|[.,]\d+)(?:[eE][+-]?\d+)?) ?({CURRENCY}?) ?(%?)",
    re.ASCII,
)
_GROUPED = r"([1-9]\d{0,2}(?:([%s'\u2019 ])\d{3}(?:\2\d{3})*)|\d*)(\%s\d*)?([eE].+)?"
#: Digits by their decimal mark: one separator, if any, between groups of three.
DIGITS = {
    ".": re.compile(_GROUPED % (",", "."), re.ASCII),
    ",": re.compile(_GROUPED % (".", ","), re.ASCII),
}
SEPARATORS = re.compile(r"[.,'\u2019 ]")


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


@dataclass(frozen=True)
class _Parts:
    negative: bool
    currency: str
    digits: str
    percent: bool


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
    parts = [_parts_of(text) for text in texts]
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
    return sum(_parts_of(text) is not None for text in some) >= share * len(some) / 2


def _parts_of(text: str) -> _Parts | None:
    match = WRITTEN.fullmatch(text) if len(text) <= LONGEST else None
    if match is None:
        return None
    sign, before, inner, digits, after, percent = match.groups()
    if (sign and inner) or (before and after):
        return None
    return _Parts(bool((sign + inner).strip("+")), before or after, digits.strip(), bool(percent))


def _number(part: _Parts | None, mark: str) -> float:
    match = DIGITS[mark].fullmatch(part.digits) if part is not None else None
    if part is None or match is None:
        return np.nan
    whole, _, fraction, power = match.groups()
    plain = f"{SEPARATORS.sub('', whole)}{(fraction or '').replace(',', '.')}{power or ''}"
    return -float(plain) if part.negative else float(plain)


def _are_codes(parts: Sequence[_Parts]) -> bool:
    """Tell names in groups of digits, such as 732 829 320, from quantities."""
    blanks = all(" " in part.digits and part.digits.count(",") == 0 for part in parts)
    return blanks and len({len(part.digits) for part in parts}) == 1


def _about_signs(parts: Sequence[_Parts]) -> str | None:
    """Ask where texts have several currencies, or some a percent sign and others none."""
    currencies = sorted({part.currency for part in parts} - {""})
    if len(currencies) > 1:
        return f"amounts are in several currencies ({', '.join(currencies)})"
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
