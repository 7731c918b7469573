"""One spelling per category: the same function for a training row and for a request."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff"))


@dataclass(frozen=True, eq=True)
class Spellings:
    """Which spelling stands for which: `table` maps keys to the spelling that is kept.

    With `fold` a key is the text without regard to case, so that spellings never seen in training
    are recognised too.
    """

    table: Mapping[str, str] = field(default_factory=dict)
    fold: bool = False

    def __call__(self, text: str) -> str:
        """Return the spelling that is kept for a text."""
        plain = tidy(text)
        return self.table.get(without_case(plain) if self.fold else plain, plain)


def tidy(text: str) -> str:
    """Write a text in Unicode's composed form (NFC), without invisible and doubled white space."""
    if text.isascii() and "  " not in text and text.isprintable():
        return text.strip()
    return " ".join(unicodedata.normalize("NFC", text).translate(INVISIBLE).split())


def without_case(text: str) -> str:
    """Return what texts that differ in case alone have in common."""
    return unicodedata.normalize("NFC", text.casefold())


def spellings_of(
    counts: Mapping[str, int],
    *,
    aliases: Mapping[str, Iterable[str]],
    preferred: Iterable[str] = (),
    merge_case: bool = True,
) -> Spellings:
    """Choose one spelling for each category.

    `counts` has the tidy texts of a column and how often each occurs. An alias becomes the
    spelling it stands for. Spellings that differ in case alone become the preferred one (those
    that the contract names), else the most frequent, else the first by name.
    """
    key = without_case if merge_case else str
    stands_for = {
        key(tidy(other)): tidy(kept) for kept, others in aliases.items() for other in others
    }
    if not merge_case:
        return Spellings({k: v for k, v in stands_for.items() if k != v})
    named = [*map(tidy, aliases), *map(tidy, preferred)]
    table = {without_case(text): text for text in reversed(named)}
    for text in sorted(counts, key=lambda item: (-counts[item], item)):
        table.setdefault(without_case(text), text)
    table |= {k: table.get(without_case(v), v) for k, v in stands_for.items()}
    return Spellings(table, fold=True)
