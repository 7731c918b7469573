"""Whether an exported artifact answers as the pipeline it was made from."""

import numpy as np
from pydantic import BaseModel, ConfigDict

from noria.common.arrays import Array
from noria.common.messages import counted
from noria.common.metric_table import Task
from noria.core.statistics import metrics
from noria.errors import ParityError


class Parity(BaseModel):
    """How far the artifact's scores are from the pipeline's; regression in target deviations."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rows: int
    maximum_difference: float
    differing: int
    flipped: int
    tolerance: float

    @property
    def holds(self) -> bool:
        """Tell whether no label flipped and no score differs by more than the tolerance."""
        return self.differing == 0 and self.flipped == 0


def check_parity(
    y: Array,
    exported: Array,
    pipeline: Array,
    task: Task,
    tolerance: float,
    threshold: float | Array = metrics.LABEL_THRESHOLD,
) -> Parity:
    """Compare the artifact's scores with the pipeline's; ParityError when they disagree.

    They do where a label flips at the binary `threshold`, or a score differs by more than
    `tolerance`.
    """
    one, other = np.asarray(exported, dtype=float), np.asarray(pipeline, dtype=float)
    if one.shape != other.shape or len(one) != len(y):
        raise ParityError(
            f"scores have shapes {one.shape} and {other.shape} for {counted(len(y), 'row')}"
        )
    if not np.isfinite(one).all() or not np.isfinite(other).all():
        raise ParityError("a score is not a finite number: the version is refused")
    scale = (float(np.std(y)) or 1.0) if task == "regression" else 1.0
    differences = np.abs(one - other).reshape(len(y), -1).max(axis=1) / scale
    flips = 0 if task == "regression" else np.count_nonzero(_differ(one, other, threshold))
    parity = Parity(
        rows=len(y),
        maximum_difference=float(differences.max(initial=0.0)),
        differing=int(np.count_nonzero(differences > tolerance)),
        flipped=int(flips),
        tolerance=tolerance,
    )
    if not parity.holds:
        raise ParityError(
            f"{parity.differing} of {counted(len(y), 'score')} differ by more than {tolerance:g}, "
            f"and {_flipped(parity.flipped)} between artifact and pipeline: the version is refused"
        )
    return parity


def _flipped(labels: int) -> str:
    return "1 label flips" if labels == 1 else f"{labels:,} labels flip"


def _differ(one: Array, other: Array, threshold: float | Array) -> Array:
    return np.asarray(metrics.labels(one, threshold) != metrics.labels(other, threshold))
