"""What a candidate is: its estimators, their parameters, and the features that they need."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from noria.core.features.feature_encoder import Family


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A kind of model; among equals the one with the lower `complexity` is preferred.

    `classifier` answers `predict_proba`; skl2onnx must know the estimators. `parameters` are chosen
    for a number of classes (0 for regression) and of rows; seed and class weights are added where
    an estimator takes them.
    """

    family: Family
    complexity: int
    description: str
    parameters: Callable[[int, int], dict[str, Any]]
    classifier: type | None = None
    regressor: type | None = None

    def estimator(self, classes: int) -> type:
        """The estimator for so many classes, 0 for regression."""
        found = self.classifier if classes else self.regressor
        if found is None:
            raise TypeError(f"a candidate has no {'classifier' if classes else 'regressor'}")
        return found
