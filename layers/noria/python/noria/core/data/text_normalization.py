"""Free text as plain words: one function for a training row and for a request.

Case, punctuation and Unicode's spellings are settled here, before any graph: a graph only splits
at blanks and hashes bytes, which has one meaning in every runtime.
"""

import unicodedata
from functools import lru_cache

import numpy as np

from noria.common.arrays import Array

#: A longer text is cut: a request's text is short, and one row must not widen a table of millions.
MOST_WORDS = 200
#: Letters, marks (vowels of Indic scripts among them) and numbers make words.
WORD_CATEGORIES = "LMN"
MASK = 0xFFFF_FFFF


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


@lru_cache(maxsize=200_000)
def word_hash(word: str) -> int:
    """Return the 32-bit MurmurHash3 (Austin Appleby, public domain; x86, seed 0) of UTF-8 bytes."""
    data = word.encode()
    found = 0
    whole = len(data) // 4 * 4
    for start in range(0, whole, 4):
        found ^= _scrambled(int.from_bytes(data[start : start + 4], "little"))
        found = (_rotated(found, 13) * 5 + 0xE654_6B64) & MASK
    found ^= _scrambled(int.from_bytes(data[whole:], "little"))
    return _avalanched(found ^ len(data))


def _scrambled(block: int) -> int:
    return (_rotated(block * 0xCC9E_2D51 & MASK, 15) * 0x1B87_3593) & MASK


def _rotated(value: int, bits: int) -> int:
    return (value << bits | value >> (32 - bits)) & MASK


def _avalanched(value: int) -> int:
    value = (value ^ value >> 16) * 0x85EB_CA6B & MASK
    value = (value ^ value >> 13) * 0xC2B2_AE35 & MASK
    return value ^ value >> 16
