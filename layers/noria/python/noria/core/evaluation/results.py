"""What is measured of a challenger on the holdout, as documents."""

from pydantic import BaseModel, ConfigDict

from noria.core.evaluation.error_findings import Findings
from noria.core.evaluation.fairness import RateGap
from noria.core.evaluation.parity import Parity
from noria.core.evaluation.slices import SliceResult
from noria.core.statistics.confidence_intervals import Interval
from noria.core.statistics.sample_size import RowsNeeded


class _Result(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ChampionComparison(_Result):
    """Challenger against champion on identical rows; positive gains favour the challenger."""

    champion_value: float | None
    gain: float | None
    lower_bound: float | None
    probability_better: float | None
    confidence: float
    reason: str


class QuickModelComparison(_Result):
    """The analysis's quick model on the same rows, and at least how far it leads the challenger."""

    value: float
    lead: float
    confidence: float


class EvaluationResult(_Result):
    """Everything that was measured of a challenger, for verdicts, reports and the model card.

    Measured on the holdout; where that is small (`evaluation.small_holdout`) on `out_of_fold` rows
    more, which models of folds without them answered. Then only the comparison is on the holdout.
    `bound` is the one-sided bound of the value on its worse side, `needed` the rows with which it
    would meet the threshold where the value does. `coverage` is the share of the holdout's values
    that lie within the intervals of a regression's answers, `fairness` what tells the groups of
    protected slices apart.
    """

    metric: str
    value: float
    threshold: float
    interval: Interval
    bound: float | None = None
    bound_confidence: float | None = None
    needed: RowsNeeded | None = None
    rows: int
    out_of_fold: int = 0
    metrics: dict[str, float]
    parity: Parity
    slices: list[SliceResult]
    baselines: dict[str, float]
    best_baseline: str | None
    gain_over_baseline: float | None
    minimum_gain: float
    comparison: ChampionComparison | None
    quick_model: QuickModelComparison | None = None
    weaknesses: list[str]
    findings: Findings = Findings()
    coverage: float | None = None
    fairness: list[RateGap] = []
