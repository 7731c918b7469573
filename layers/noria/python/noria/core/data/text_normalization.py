"""Free text as plain words: one function for a training row and for a request.

Case, punctuation and Unicode's spellings are settled here, before any graph: a graph only splits
at blanks and hashes bytes, which has one meaning in every runtime.
"""

import unicodedata

import numpy as np

from noria.common.arrays import Array

#: A longer text is cut: a request's text is short, and one row must not widen a table of millions.
MOST_WORDS = 200
#: Letters, marks (vowels of Indic scripts among them) and numbers make words.
WORD_CATEGORIES = "LMN"


class _Characters(dict[int, str | int]):
    """What each character becomes; asked once per character that occurs."""

    def __missing__(self, code: int) -> str | int:
        kept = unicodedata.category(chr(code))[0] in WORD_CATEGORIES
        self[code] = code if kept else " "
        return self[code]


_CHARACTERS = _Characters()


def plain_words(text: str) -> str:
    """Return up to 200 words of a text, folded (NFKC, no case), one blank between them.

    Applied twice it gives what it gives once: Unicode 16, section 3.13, D146 (toNFKC_Casefold).
    """
    folded = text.casefold() if text.isascii() else _folded(text)
    return " ".join(folded.translate(_CHARACTERS).split()[:MOST_WORDS])


def plain_texts(values: Array) -> Array:
    """Apply `plain_words` to each distinct text of a column."""
    distinct, places = np.unique(values, return_inverse=True)
    return np.array([plain_words(text) for text in distinct.tolist()], dtype=np.str_)[places]


def _folded(text: str) -> str:
    once = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return unicodedata.normalize("NFKC", once.casefold())
