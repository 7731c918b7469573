"""Permutation tests: could predictions agree with the target by chance alone?"""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from noria.common.arrays import Array
from noria.core.statistics.autocorrelation import FEWEST_BLOCKS, time_blocks

Drawn = Literal["rows", "rows within time blocks", "signs of time blocks"]


class PermutationTest(NamedTuple):
    """A p value, what was permuted for it, and in how many time blocks (0: without times)."""

    p_value: float
    drawn: Drawn
    blocks: int

    @property
    def sentence(self) -> str:
        """How often a permutation does as well, and what was permuted."""
        if self.drawn == "rows":
            return f"permutation test, p = {self.p_value:.2g}"
        if self.drawn == "rows within time blocks":
            return f"permutation test within {self.blocks} time blocks, p = {self.p_value:.2g}"
        return f"sign-flip test over {self.blocks} time blocks, p = {self.p_value:.2g}"


def target_columns(y: Array, prediction: Array) -> NDArray[np.float64]:
    """The target as (n, k) floats: itself, or an indicator per class that has a probability."""
    if prediction.ndim == 1:
        return np.asarray(y[:, None], dtype=np.float64)
    return np.asarray(y[:, None] == np.arange(prediction.shape[1]), dtype=np.float64)


def permutation_test(
    y: Array,
    prediction: Array,
    permutations: int,
    generator: np.random.Generator,
    times: Array | None = None,
    most_blocks: int = 16,
) -> PermutationTest:
    """Test whether the predictions agree with the target better than with a permuted one.

    Agreement is the covariance of target and ranked prediction (classes: the mean probability of
    the true class, ranked), so that no threshold hides a signal. Without `times` rows are shuffled
    (Phipson and Smyth's 2010 p value).

    Rows that follow each other in time are alike, and two series that wander agree or disagree for
    long without any relation (Yule 1926, "Why do we sometimes get nonsense-correlations between
    time-series?"): shuffled rows would call that signal. So the agreement is taken within each
    time block, less the block's means, and the blocks' signs are drawn at random (Canay,
    Romano and Shaikh 2017, "Randomization tests under an approximate symmetry assumption"; blocks
    as by Ibragimov and Müller 2010). For random walks that is exact, as what a block shows then
    comes from steps of its own. With fewer than eight blocks rows are shuffled within them.

    What persists in an entity (a shop that always sells more) counts as signal, for the same
    entities come again; rows that share a time share a block, and what moves all of them then.
    """
    rows = len(y)
    codes = np.zeros(rows, np.int64) if times is None else time_blocks(times, most_blocks)
    count = int(codes.max(initial=0)) + 1
    target = _centred_by_block(target_columns(y, prediction), codes)
    predicted = _centred_by_block(_ranked(prediction), codes)
    if times is not None and count >= FEWEST_BLOCKS:
        drawn: Drawn = "signs of time blocks"
        found = _sign_flips(target, predicted, codes, permutations, generator)
    else:
        drawn = "rows" if times is None else "rows within time blocks"
        found = _permutations(target, predicted, codes, permutations, generator)
    agreement = float((target * predicted).sum())
    tolerance = 1e-9 * float(np.abs(target).sum())  # ranks lie within one half of their mean
    as_good = int((found >= agreement - tolerance).sum())
    return PermutationTest((1 + as_good) / (1 + permutations), drawn, 0 if times is None else count)


def _sign_flips(
    target: Array, predicted: Array, codes: Array, draws: int, generator: np.random.Generator
) -> NDArray[np.float64]:
    """The agreement with random signs of the time blocks, once per draw."""
    shown = np.bincount(codes, weights=(target * predicted).sum(axis=1))
    signs = generator.choice([-1.0, 1.0], (draws, len(shown)))
    return np.asarray(signs @ shown, dtype=np.float64)


def _permutations(
    target: Array, predicted: Array, codes: Array, permutations: int, generator: np.random.Generator
) -> NDArray[np.float64]:
    """The agreement of targets shuffled within their time blocks, once per permutation."""
    predicted = predicted[np.argsort(codes, kind="stable")]
    found = np.empty(permutations)
    for place in range(permutations):
        mixed = generator.permutation(len(codes))
        mixed = mixed[np.argsort(codes[mixed], kind="stable")]
        found[place] = (target[mixed] * predicted).sum()
    return found


def _centred_by_block(columns: Array, codes: Array) -> NDArray[np.float64]:
    rows = np.bincount(codes)
    means = [np.bincount(codes, weights=column) / rows for column in columns.T]
    return np.asarray(columns - np.column_stack(means)[codes], dtype=np.float64)


def _ranked(prediction: Array) -> NDArray[np.float64]:
    """Replace each column by its ranks (ties share the mean rank), centred and scaled."""
    columns = prediction if prediction.ndim == 2 else prediction[:, None]
    ranked = np.empty(columns.shape, dtype=np.float64)
    for place in range(columns.shape[1]):
        _, inverse, counts = np.unique(columns[:, place], return_inverse=True, return_counts=True)
        ranked[:, place] = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    centred = ranked - ranked.mean(axis=0)
    return np.asarray(centred / max(len(columns), 1), dtype=np.float64)
