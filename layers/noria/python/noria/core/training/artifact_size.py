"""How large a model's artifact is, and whether that can be served."""

from noria.contracts import Problem
from noria.errors import TrainingError

MEGABYTE = 2**20
#: Share of the largest size that a fold's model may have: the final one has a fold more rows.
FOLDS_SHARE = 0.8


def check_size(size: int, problem: Problem, share: float = 1.0) -> None:
    """TrainingError where an artifact of `size` bytes is beyond this share of the largest."""
    largest = problem.training.artifact_megabytes
    if size > share * largest * MEGABYTE:
        raise TrainingError(
            f"its artifact has {size / MEGABYTE:.1f} MB, and {share * largest:g} are the most here "
            f"(training.artifact_megabytes is {largest:g}): raise that, or name smaller candidates "
            "in exploration.candidates"
        )
