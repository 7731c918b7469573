"""What a candidate is: its estimators, their parameters, and the features that they need."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from noria.core.features.feature_encoder import Family

Parameters = dict[str, Any]
Choice = Callable[[int, int], Parameters]
Target = Literal["standard", "log", "scaled"]


@dataclass(frozen=True)
class Setting:
    """Parameters that the search tries in place of a candidate's usual ones.

    `cost` is how long a fit takes, in fits with the usual parameters; a setting that the budget
    cannot pay is not tried. `target` says in what form a regression learns its target: "log" is the
    logarithm of one more than it, "scaled" is in its deviations but not centred.
    """

    changes: Choice = lambda *_: {}
    cost: float = 1.0
    target: Target = "standard"


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A kind of model; among equals the one with the lower `complexity` is preferred.

    `classifier` answers `predict_proba`; skl2onnx must know the estimators. `parameters` are chosen
    for a number of classes (0 for regression) and of rows; seed and class weights are added where
    an estimator takes them. `settings` are the search space, by name, the most promising first,
    `of_numbers` those that only a regression has.
    On more than `most_rows` training rows it is not among those that `auto` stands for.
    """

    family: Family
    complexity: int
    description: str
    parameters: Choice
    classifier: Callable[..., Any] | None = None
    regressor: Callable[..., Any] | None = None
    settings: Mapping[str, Setting] = field(default_factory=dict)
    of_numbers: Mapping[str, Setting] = field(default_factory=dict)
    most_rows: int | None = None

    def settings_for(self, classes: int, *, by_factors: bool) -> dict[str, Setting]:
        """The settings for a target of so many classes, 0 for numbers.

        `by_factors` says that these are never negative and differ by factors rather than by a
        little, so that their logarithm may be what adds up.
        """
        return (dict(self.of_numbers) if by_factors and not classes else {}) | dict(self.settings)

    def setting(self, name: str) -> Setting:
        """A setting by its name."""
        return self.settings[name] if name in self.settings else self.of_numbers[name]

    def estimator(self, classes: int) -> Callable[..., Any]:
        """The estimator for so many classes, 0 for regression."""
        found = self.classifier if classes else self.regressor
        if found is None:
            raise TypeError(f"a candidate has no {'classifier' if classes else 'regressor'}")
        return found
