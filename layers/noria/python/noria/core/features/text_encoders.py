"""Free text as hashed words and word pairs, of which the most telling buckets become features.

The hashing trick (Weinberger et al., "Feature hashing for large scale multitask learning", ICML
2009) with MurmurHash3 and 4,096 buckets. No signs: a bucket is a count, damped to 1 + ln(count)
(Manning, Raghavan and Schütze, "Introduction to information retrieval", 2008, section 6.4.1).
"""

import itertools
from collections import Counter
from collections.abc import Sequence
from typing import Any, Self, TypeVar

import numpy as np
import pandas as pd

from noria.common.arrays import Array
from noria.core.features.array_operations import Coded, NumpyOperations, Operations
from noria.core.features.encoder_limits import USUAL, EncoderLimits
from noria.core.features.encoders import FeatureStep, coded_column, integer
from noria.core.features.word_hashing import word_hash

T = TypeVar("T")
BUCKETS = 4_096
MULTIPLIER = 1_000_003
MOST_COUNTED = 50
NAMED_TEXTS = 5_000
LOG_COUNTS = np.concatenate([[0.0], 1 + np.log(np.arange(1, MOST_COUNTED + 1))]).astype(np.float32)


class HashedWords(FeatureStep):
    """Damped counts of the hashed words and word pairs most informative about the target."""

    scaled = False

    def __init__(self, column: str, limits: EncoderLimits = USUAL) -> None:
        self.column, self.limits, self.reads = column, limits, (column,)
        self.chosen: Array = np.zeros(0, dtype=np.int64)
        self.names = []

    def fit(self, frame: pd.DataFrame, target: Array) -> Self:
        """Choose the buckets by their rows' deviation from the mean target."""
        coded = coded_column(frame, self.column)
        present, limits = _presence(coded), self.limits
        fewest = max(limits.word_rows, limits.word_share * len(target))
        strength = bucket_strength(present, coded.codes, _columns_of(target), fewest)
        order = np.argsort(-strength, kind="stable")[: limits.word_features]
        self.chosen = np.sort(order[strength[order] > limits.word_strength])
        spoken = bucket_names(coded, set(self.chosen.tolist()))
        self.names = [f"{self.column} has {spoken.get(b, 'others')}" for b in self.chosen.tolist()]
        self.names.append(f"{self.column} other words")
        return self

    def build(self, operations: Operations[T]) -> T:
        """Send each bucket to its feature, all others to one that is the number of words."""
        places = np.full(BUCKETS + 1, len(self.chosen), dtype=np.int64)
        places[self.chosen] = np.arange(len(self.chosen))
        places[BUCKETS] = len(self.chosen) + 1
        buckets = word_buckets(operations, operations.column(self.column))
        counts = operations.tally(operations.gather(places, buckets), len(self.chosen) + 2)
        kept = operations.take(counts, np.arange(len(self.chosen) + 1))
        most = float(MOST_COUNTED)
        return operations.gather(
            LOG_COUNTS, operations.to_integer(operations.clip(kept, 0.0, most))
        )


def word_buckets(operations: Operations[T], text: T) -> T:
    """Hash words and pairs of neighbours into buckets; where there is none, bucket `BUCKETS`."""
    words = operations.hashed_words(text)
    nothing = integer(operations, 0)
    last = operations.multiply(operations.take(words, np.zeros(1, dtype=np.int64)), nothing)
    following = operations.concatenate([operations.from_column(words, 1), last])
    scrambled = operations.multiply(words, integer(operations, MULTIPLIER))
    pairs = operations.add(scrambled, following)
    either = operations.either(
        operations.equal(words, nothing), operations.equal(following, nothing)
    )
    single = _bucket(operations, words, operations.equal(words, nothing))
    return operations.concatenate([single, _bucket(operations, pairs, either)])


def _bucket(operations: Operations[T], hashes: T, absent: T) -> T:
    bucket = operations.modulo(hashes, integer(operations, BUCKETS))
    return operations.where(absent, integer(operations, BUCKETS), bucket)


def _presence(coded: Coded) -> list[Array]:
    """List the buckets of each distinct text."""
    every = Coded(coded.texts, np.arange(len(coded.texts)))
    operations: Any = NumpyOperations(pd.DataFrame())
    found: Array = word_buckets(operations, every)  # type: ignore[arg-type]
    return [np.unique(row[row < BUCKETS]) for row in found]


def _columns_of(target: Array) -> Array:
    """Return values as they are, and class codes as one column per class: shape (n, k)."""
    if target.dtype.kind == "f":
        return target.reshape(-1, 1).astype(np.float64)
    return np.asarray(target.reshape(-1, 1) == np.unique(target), dtype=np.float64)


def bucket_strength(present: Sequence[Array], codes: Array, values: Array, fewest: float) -> Array:
    """Return per bucket the squared z score of the mean of `values` (n, k) where it occurs.

    0 for buckets that occur in fewer than `fewest` rows, or in all but fewer.
    """
    rows, size = len(codes), len(present)
    codes = codes % size
    deviations = values - values.mean(axis=0)
    per_text = np.column_stack([np.bincount(codes, w, size) for w in deviations.T])
    count_per_text = np.bincount(codes, minlength=size)
    buckets = np.concatenate([*present, np.zeros(0, dtype=np.int64)])
    text_of = np.repeat(np.arange(size), [len(one) for one in present])
    counts = np.bincount(buckets, count_per_text[text_of], BUCKETS)
    sums = np.column_stack([np.bincount(buckets, w[text_of], BUCKETS) for w in per_text.T])
    variance = np.maximum((deviations**2).sum(axis=0) / max(rows, 1), np.finfo(float).tiny)
    judged = (counts >= fewest) & (rows - counts >= fewest)
    spread = np.maximum(counts * (1 - counts / max(rows, 1)), 1)[:, None] * variance
    return np.where(judged, (sums**2 / spread).sum(axis=1), 0.0)


def bucket_names(coded: Coded, buckets: set[int]) -> dict[int, str]:
    """Name buckets by the most frequent word or pair that falls into each."""
    counts = np.bincount(coded.codes % len(coded.texts), minlength=len(coded.texts))
    common = np.argsort(-counts, kind="stable")[:NAMED_TEXTS].tolist()
    seen: dict[int, Counter[str]] = {}
    for place in common:
        words = coded.texts[place].split()
        spoken = [(word_hash(w) % BUCKETS, w) for w in words]
        spoken += [(_pair_bucket(a, b), f"{a} {b}") for a, b in itertools.pairwise(words)]
        for bucket, phrase in spoken:
            if bucket in buckets:
                seen.setdefault(bucket, Counter())[phrase] += int(counts[place])
    return {
        bucket: repr(min(found, key=lambda phrase: (-found[phrase], phrase)))
        for bucket, found in seen.items()
    }


def _pair_bucket(one: str, other: str) -> int:
    return (word_hash(one) * MULTIPLIER + word_hash(other)) % BUCKETS
