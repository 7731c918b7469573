"""Which words free texts hold; the texts are plain words already (`text_normalization`)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from noria.common.arrays import Array

MOST_TEXTS = 100_000  # a share of a half is then known to 0.3 points


@dataclass(frozen=True)
class FrequentWords:
    """The most frequent words, by the number of texts that hold them, the commonest first."""

    names: list[str]
    counts: NDArray[np.int64]
    _texts: list[frozenset[str]]
    _codes: NDArray[np.int64]

    def holds(self, place: int) -> NDArray[np.bool_]:
        """Mark the texts that hold a word."""
        name = self.names[place]
        return np.array([name in words for words in self._texts], dtype=bool)[self._codes]


def frequent_words(values: Array, most: int, fewest: int = 1) -> FrequentWords:
    """Find up to `most` words that at least `fewest` texts hold; ties are in the words' order."""
    distinct, codes = np.unique(values, return_inverse=True)
    texts = [frozenset(text.split()) for text in distinct.tolist()]
    rows = np.bincount(codes.reshape(-1), minlength=len(texts)).tolist()
    counts: dict[str, int] = {}
    for words, count in zip(texts, rows, strict=True):
        for word in words:
            counts[word] = counts.get(word, 0) + count
    frequent = (word for word, count in counts.items() if count >= fewest)
    names = sorted(frequent, key=lambda one: (-counts[one], one))[:most]
    return FrequentWords(names, np.array([counts[name] for name in names], dtype=np.int64), texts,
                 codes.reshape(-1))  # fmt: skip


def evenly_spaced(values: Array, most: int = MOST_TEXTS) -> Array:
    """Take at most so many texts, evenly spaced: shares of words are known well enough by them."""
    if len(values) <= most:
        return values
    return values[np.linspace(0, len(values) - 1, most).astype(np.int64)]


def rarest_word(texts: Sequence[str], names: Sequence[str]) -> list[str]:
    """Name for each text the last of `names` (commonest first) that it holds, "" for none.

    A text falls to one word, so that texts can be counted as categories are; the commonest words,
    which nearly all hold, tell least of them.
    """
    places = {name: place for place, name in enumerate(names)}
    found = (max((places.get(word, -1) for word in text.split()), default=-1) for text in texts)
    return [names[place] if place >= 0 else "" for place in found]
