"""One number as people write it: its sign, currency, digits and percent sign."""

import re
from dataclasses import dataclass

from noria.core.column_types.currencies import currency_of, is_letters

LONGEST = 40  # characters: a longer text is no number, and would take long to match
#: Typographic signs, blanks and apostrophes, as those that a keyboard has.
_TYPED = str.maketrans(
    dict.fromkeys("\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d", "-")
    | dict.fromkeys("\u00a0\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f", " ")
    | dict.fromkeys("\u2019\u2018\u02bc\u2032\u00b4`", "'")
    | {"\uff05": "%", "\u066a": "%"}
)
_BARE = re.compile(r"([+-]?)(\d[\d.,' ]*(?:[eE][+-]?\d+)?)", re.ASCII)
_WRITTEN = re.compile(r"(\D*?)([.,]?\d[\d.,' ]*(?:[eE][+-]?\d+)?)(\D*)", re.ASCII)
_NO_CENTS = re.compile(r"^--?")  # the dash of 12,- and of 12.--
_CENTS = re.compile(r".*[.,]\d\d", re.ASCII)
_GROUPED = r"([1-9]\d{0,2}(?:([%s' ])\d{3}(?:\2\d{3})*)|%s\d*)(\%s\d*)?([eE].+)?"
_LAKHS = r"[1-9]\d?(?:,\d\d)+,\d{3}|"  # Indian groups: 12,34,567
#: Digits by their decimal mark: one separator, if any, between groups of three.
DIGITS = {
    ".": re.compile(_GROUPED % (",", _LAKHS, "."), re.ASCII),
    ",": re.compile(_GROUPED % (".", "", ","), re.ASCII),
}
_SEPARATORS = re.compile(r"[.,' ]")


@dataclass(frozen=True)
class Numeral:
    """The parts of a number: digits with their separators, and what stands around them.

    `sign` is the currency as it is written, `bracketed` whether brackets make it negative,
    `attached` whether letters stand right before the digits, as in a code.
    """

    digits: str
    negative: bool = False
    sign: str = ""
    percent: bool = False
    bracketed: bool = False
    attached: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether it is digits alone, without separators."""
        return self.digits.isdigit()

    def value(self, mark: str) -> float | None:
        """The number by a decimal mark, or None where the digits have none by it; 12% is 12."""
        match = DIGITS[mark].fullmatch(self.digits)
        if match is None:
            return None
        whole, _, fraction, power = match.groups()
        plain = f"{_SEPARATORS.sub('', whole)}{(fraction or '').replace(',', '.')}{power or ''}"
        number = float(plain)
        return -number if self.negative else number


def numeral_of(text: str) -> Numeral | None:
    """Take a tidy text apart, or None where it is no number."""
    if len(text) > LONGEST:
        return None
    text = text if text.isascii() and "`" not in text else text.translate(_TYPED)
    bare = _BARE.fullmatch(text)
    if bare is not None:
        return Numeral(bare[2].strip(), bare[1] == "-")
    match = _WRITTEN.fullmatch(text)
    return None if match is None else _numeral(*match.groups())


def _numeral(before: str, digits: str, after: str) -> Numeral | None:
    if digits[0] == "." and before[-1:].isalpha() | before.endswith("/"):
        before, digits = f"{before}.", digits[1:]  # the point of an abbreviation, as in Rs.
    if digits.rstrip()[-1] in ".,":
        after = _NO_CENTS.sub("", after, count=1)
    bracketed = before.count("(") == after.count(")") == 1
    minus = before.count("-") + after.count("-")
    signs = minus + before.count("+") + bracketed
    percents = before.count("%") + after.count("%")
    front, back = (_sign(before, "(+-%"), _sign(after, ")-%"))
    digits = digits.strip()
    grade = after.count("-") == 1 and len(digits) == 1  # 2- is a mark at school
    if signs > 1 or percents > 1 or (front and back) or grade:
        return None
    if bracketed != ("(" in before) or bracketed != (")" in after):
        return None
    sign = front or back
    if sign and (percents or currency_of(sign) is None or _is_label(sign, digits)):
        return None
    return Numeral(
        digits=digits,
        negative=bool(minus or bracketed),
        sign=sign,
        percent=bool(percents),
        bracketed=bracketed,
        attached=is_letters(front) and before.endswith(front),
    )


def _sign(text: str, others: str) -> str:
    """Return what stands beside the digits and is none of the other signs."""
    return "".join(letter for letter in text if letter not in others).strip()


def _is_label(sign: str, digits: str) -> bool:
    """Tell the letter of rooms and routes from the rand, whose amounts have cents."""
    return sign.lower() == "r" and not _CENTS.fullmatch(digits)
