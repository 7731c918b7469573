"""What is measured of a challenger on the holdout, as documents."""

from pydantic import BaseModel, ConfigDict

from noria.core.evaluation.error_findings import Findings
from noria.core.evaluation.slices import SliceResult
from noria.core.statistics.confidence_intervals import Interval
from noria.core.statistics.sample_size import RowsNeeded


class _Result(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Parity(_Result):
    """How far the artifact's scores are from the pipeline's; regression in target deviations."""

    rows: int
    maximum_difference: float
    differing: int
    flipped: int
    tolerance: float

    @property
    def holds(self) -> bool:
        """Tell whether no label flipped and no score differs by more than the tolerance."""
        return self.differing == 0 and self.flipped == 0


class ChampionComparison(_Result):
    """Challenger against champion on identical rows; positive gains favour the challenger."""

    champion_value: float | None
    gain: float | None
    lower_bound: float | None
    probability_better: float | None
    confidence: float
    reason: str


class EvaluationResult(_Result):
    """Everything that was measured on the holdout, for verdicts, reports and the model card.

    `bound` is the one-sided bound of the value on its worse side, `needed` the rows with which it
    would meet the threshold where the value does.
    """

    metric: str
    value: float
    threshold: float
    interval: Interval
    bound: float | None = None
    bound_confidence: float | None = None
    needed: RowsNeeded | None = None
    rows: int
    metrics: dict[str, float]
    parity: Parity
    slices: list[SliceResult]
    baselines: dict[str, float]
    best_baseline: str | None
    gain_over_baseline: float | None
    minimum_gain: float
    comparison: ChampionComparison | None
    weaknesses: list[str]
    findings: Findings = Findings()
