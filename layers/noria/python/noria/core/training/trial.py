"""What is tried, and what came of it: the documents of the search for a model."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from noria.core.model.learning_curve import LearningCurve
from noria.core.model.signature import BlendMember


class Trial(BaseModel):
    """A recipe with a candidate on a rung: on so many rows, in so many seconds.

    `setting` names the candidate's parameters, "" its usual ones. `folds` are scored, the latest
    first; None is all. `settings` is how many others are tried beside that one, at most.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    recipe: str
    candidate: str
    setting: str = ""
    rung: int = 1
    rows: int
    seconds: float
    folds: int | None = None
    settings: int = 0

    @property
    def name(self) -> str:
        """Its name among the trials of an iteration, as part of a key: no sign needs escaping."""
        setting = f".{self.setting.replace(' ', '-')}" if self.setting else ""
        return f"{self.rung}.{self.recipe.replace('+', '.')}.{self.candidate}{setting}"


class TriedSetting(BaseModel):
    """A setting beside the usual one: its mean gain over that on so many folds, and its fate."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    setting: str
    gain: float | None
    folds: int
    seconds: float
    outcome: str


class Experiment(BaseModel):
    """One candidate tried with one recipe: its scores per fold, costs, and what went wrong.

    `scores` are of the folds, the latest first. `setting` names the parameters that were found
    best, "" the candidate's usual ones. `outcome` is what the rung's judgement made of it. A
    `blend` of other trials' models is scored on each fold with weights that the others found.
    The one that is trained has a `learning_curve`, where it could be measured.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    candidate: str
    setting: str = ""
    blend: tuple[BlendMember, ...] = ()
    recipe: str
    iteration: int
    rung: int = 1
    metric: str
    scores: list[float] = []
    mean: float | None = None
    std: float | None = None
    fit_seconds: float = 0.0
    score_seconds: float = 0.0
    rows: int = 0
    features: int = 0
    artifact_bytes: int | None = None
    memory_megabytes: float | None = None
    folds: int = 0
    fold_note: str = ""
    parameters: dict[str, Any] = {}
    seed: int = 0
    dataset_sha256: str = ""
    versions: dict[str, str] = {}
    trials: list[TriedSetting] = []
    learning_curve: LearningCurve | None = None
    notes: list[str] = []
    error: str | None = None
    outcome: str = ""

    @property
    def recipes(self) -> tuple[str, ...]:
        """The recipe of its model, or those of its blend's."""
        blended = dict.fromkeys(one.recipe for one in self.blend)
        return tuple(blended) or (self.recipe,)

    @property
    def title(self) -> str:
        """What it is, as a part of a sentence."""
        setting = f" ({self.setting})" if self.setting else ""
        return f"{self.candidate}{setting} with recipe {self.recipe}"
