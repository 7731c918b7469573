"""What a candidate is: its estimators, their parameters, and the features that they need."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from noria.core.features.feature_encoder import Family

Parameters = dict[str, Any]
Choice = Callable[[int, int], Parameters]


@dataclass(frozen=True)
class Setting:
    """Parameters that the search tries in place of a candidate's usual ones.

    `cost` is how long a fit takes, in fits with the usual parameters; a setting that the budget
    cannot pay is not tried.
    """

    changes: Choice
    cost: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A kind of model; among equals the one with the lower `complexity` is preferred.

    `classifier` answers `predict_proba`; skl2onnx must know the estimators. `parameters` are chosen
    for a number of classes (0 for regression) and of rows; seed and class weights are added where
    an estimator takes them. `settings` are the search space, by name, the most promising first.
    On more than `most_rows` training rows it is not among those that `auto` stands for.
    """

    family: Family
    complexity: int
    description: str
    parameters: Choice
    classifier: Callable[..., Any] | None = None
    regressor: Callable[..., Any] | None = None
    settings: Mapping[str, Setting] = field(default_factory=dict)
    most_rows: int | None = None

    def estimator(self, classes: int) -> Callable[..., Any]:
        """The estimator for so many classes, 0 for regression."""
        found = self.classifier if classes else self.regressor
        if found is None:
            raise TypeError(f"a candidate has no {'classifier' if classes else 'regressor'}")
        return found
