"""Backoff: pauses between attempts, jittered over the whole pause, and bounded."""

import random

from hypothesis import given
from hypothesis import strategies as st

from noria.common.backoff import Backoff


def test_backoff_pauses_between_attempts_only() -> None:
    pauses: list[float] = []
    waiting = Backoff(5, first=1, longest=3, sleep=pauses.append, chance=lambda: 1.0)
    assert list(waiting) == [0, 1, 2, 3, 4]
    assert pauses == [1, 2, 3, 3]


def test_backoff_pauses_for_nobody_after_the_first_attempt() -> None:
    pauses: list[float] = []
    for _ in Backoff(5, first=1, sleep=pauses.append):
        break
    assert pauses == []


@given(st.integers(1, 12), st.floats(0.001, 10), st.floats(0.001, 60), st.integers())
def test_backoff_never_waits_longer_than_it_may(
    attempts: int, first: float, longest: float, seed: int
) -> None:
    pauses: list[float] = []
    chance = random.Random(seed).random
    assert len(list(Backoff(attempts, first, longest, pauses.append, chance))) == attempts
    assert len(pauses) == attempts - 1
    bounds = [min(longest, first * 2**place) for place in range(attempts - 1)]
    assert [0 <= pause <= bound for pause, bound in zip(pauses, bounds, strict=True)] == [
        True for _ in pauses
    ]
