"""How large a model's artifact is, and whether that can be served."""

from noria.contracts import Problem
from noria.errors import TrainingError

MEGABYTE = 2**20
#: Artifacts grow with the rows, but not for ever: trees and tables of texts have bounds.
LEAST_SHARE = 0.5


def check_size(size: int, problem: Problem, learnt: float = 1.0) -> None:
    """TrainingError where an artifact of `size` bytes is too large.

    Of a model that learnt from this part of the rows, where the one of all rows may be.
    """
    largest, share = problem.training.artifact_megabytes, max(learnt, LEAST_SHARE)
    if size > share * largest * MEGABYTE:
        raise TrainingError(
            f"its artifact has {size / MEGABYTE:.1f} MB, and {share * largest:.3g} are the most "
            f"here (training.artifact_megabytes is {largest:g}): raise that, or name smaller "
            "candidates in exploration.candidates"
        )
