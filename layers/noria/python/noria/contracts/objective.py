"""What a good model is, and how it is judged."""

import math
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from noria.common.formatting import joined_with_and
from noria.common.metric_table import (
    ALL_TASKS,
    BINARY,
    CLASSES,
    LOWER_IS_BETTER,
    METRICS,
    REGRESSION,
)
from noria.contracts.cross_checks import FieldErrors, reads
from noria.contracts.field_types import ColumnName, ExpressionText, Section

if TYPE_CHECKING:
    Metric = str
else:
    Metric = Literal[tuple(METRICS)]
METRICS_OF: dict[str, frozenset[str]] = {
    task: frozenset(name for name, row in METRICS.items() if task in row.tasks)
    for task in ALL_TASKS
}

PERCENT = 10  # from where a number above 1 was rather meant in percent


def _by_task() -> str:
    """List the metrics by the tasks that they are for."""
    for_classes, for_two, for_numbers = (
        joined_with_and([name for name, row in METRICS.items() if row.tasks == tasks], len(METRICS))
        for tasks in (CLASSES, BINARY, REGRESSION)
    )
    return (
        f"For classes {for_classes}, for two of them also {for_two}; for regression {for_numbers}"
    )


def out_of_range(metric: str, value: float) -> str | None:
    """Say that a metric cannot have a value, and what it can be; None where it can."""
    least, largest = METRICS[metric].least, METRICS[metric].largest
    low, high = (-math.inf if least is None else least), (math.inf if largest is None else largest)
    if low <= value <= high or not math.isfinite(value):
        return None
    if least is None or largest is None:
        span = f"is {high:g} at most" if least is None else f"is {low:g} at least"
        return f"{value:g} cannot be: {metric} {span}"
    meant = f"; did you mean {value / 100:g}?" if PERCENT <= value <= 100 else ""
    return f"{value:g} cannot be: {metric} goes from {low:g} to {high:g}{meant}"


class Slice(Section):
    """A column whose every value must reach a floor of the objective's metric."""

    column: ColumnName
    """The column, a feature or not: one of `features.exclude` is seen by evaluation alone, not by
    the analysis, a model or the endpoint. Numbers with many values go by quarters."""
    floor: float
    """What the metric must reach where the column has one value (see `evaluation.slice_rows`)."""
    protected: bool = False
    """Whether the column's groups are to be treated alike: the model card and the run's reasons
    tell how far they are apart in what is answered, and how sure that is. It stops no model: a
    floor does. Live answers are not told apart by groups, as requests need not carry the column."""


class Costs(Section):
    """What wrong answers cost, in any unit; of a binary task."""

    false_negative: float = Field(gt=0)
    """The cost of a positive that was not found."""
    false_positive: float = Field(gt=0)
    """The cost of an alarm that was none."""


#: Metrics of a ranking, which no threshold changes.
RANKING = ("roc_auc", "average_precision", "recall_at_precision", "precision_at_recall")
#: Metrics that are measured where another one reaches what the contract asks for.
LIMITS = {"recall_at_precision": "minimum_precision", "precision_at_recall": "minimum_recall"}


class Objective(Section):
    """What counts as good enough; the direction follows from the metric."""

    metric: Metric = Field(
        description=f"What is measured on the holdout. {_by_task()}. As scikit-learn's "
        "documentation defines them."
    )
    threshold: float = Field(
        description="What the metric must reach: at least, or at most for "
        f"{joined_with_and([name for name in METRICS if name in LOWER_IS_BETTER])}."
    )
    minimum_gain: float = Field(default=0.0, ge=0)
    """How much better than the best baseline that is not ML a model must be, in the metric."""
    minimum_precision: float = Field(default=0.8, gt=0, le=1)
    """The share of alarms that must be right in `recall_at_precision`. Convention: four of five,
    as people stop answering alarms that are wrong more often (Breznitz 1984, "Cry Wolf")."""
    minimum_recall: float = Field(default=0.8, gt=0, le=1)
    """The share of positives that must be found in `precision_at_recall`. Convention: four of five,
    as `minimum_precision`."""
    costs: Costs | None = None
    """What wrong answers cost: the threshold that is served makes the least of it. Without costs or
    `alarm_share` it is the one that is best for f1, f1_macro or balanced_accuracy where that is the
    metric, the one with the most recall at `minimum_precision` for recall_at_precision or with the
    most precision at `minimum_recall` for precision_at_recall, the one with the best F1 for roc_auc
    and average_precision, and 0.5 else."""
    alarm_share: float | None = Field(default=None, gt=0, lt=1)
    """The share of the rows that can be followed up, such as 0.05 where one customer in twenty can
    be called a day: the threshold that is served calls as many positive, and no more."""
    slices: list[Slice] = []
    """Columns whose every value must reach a floor."""

    @reads("metric", "costs", "alarm_share")
    def _what_chooses_a_threshold_goes_with_a_ranking(self) -> FieldErrors:
        given = [name for name in ("costs", "alarm_share") if getattr(self, name) is not None]
        for name in given if self.metric not in RANKING else ():
            verb = "choose" if name == "costs" else "chooses"
            yield (
                name,
                (
                    f"{name} {verb} a threshold, and {self.metric} judges labels or probabilities "
                    f"themselves: choose {' or '.join(RANKING)}, or leave {name} out"
                ),
            )
        if len(given) > 1:
            yield "alarm_share", "costs choose the threshold already: leave one of the two out"

    @reads("metric", "threshold")
    def _threshold_in_range(self) -> FieldErrors:
        told = out_of_range(self.metric, self.threshold)
        if told:
            yield "threshold", told

    @reads("metric", "slices.floor")
    def _floors_in_range(self) -> FieldErrors:
        for position, one in enumerate(self.slices):
            told = out_of_range(self.metric, one.floor)
            if told:
                yield f"slices[{position}].floor", told

    @reads("metric", "minimum_gain")
    def _gain_is_possible(self) -> FieldErrors:
        low, high = METRICS[self.metric].least, METRICS[self.metric].largest
        if low is not None and high is not None and self.minimum_gain > high - low:
            told = (
                f"{self.minimum_gain:g} cannot be gained: {self.metric} goes from {low:g} to "
                f"{high:g}"
            )
            yield "minimum_gain", told

    @property
    def measure(self) -> str:
        """The metric as `core.statistics.metrics` takes it, an unusual limit named."""
        limit = LIMITS.get(self.metric)
        if limit is None or getattr(self, limit) == type(self).model_fields[limit].default:
            return self.metric
        return f"{self.metric}@{getattr(self, limit)!r}"


class Baseline(Section):
    """What people do today without ML."""

    rule: ExpressionText | None = None
    """The answer in the closed grammar: a condition for two classes, a label or a number else."""
    serve: bool = False
    """Whether a rule that meets the objective is deployed behind the endpoint like a model."""

    @reads("serve", "rule")
    def _something_to_serve(self) -> FieldErrors:
        if self.serve and self.rule is None:
            yield "", "serve needs rule: write the rule that is to answer requests"


class Evaluation(Section):
    """How a model is judged."""

    holdout: float = Field(default=0.2, gt=0, lt=0.9)
    """Share of the rows that no model sees before it is judged: the latest where there is an event
    time. Convention: a fifth; a third is usual too (Kohavi 1995, "A study of cross-validation and
    bootstrap")."""
    small_holdout: int = Field(default=200, ge=0)
    """Holdout rows below which all rows judge, each by a model of folds without it: a ROC AUC of
    0.8 is known to ±0.06 from 200 rows, half of them positive, and to ±0.13 from 40 (Hanley and
    McNeil 1982, "The meaning and use of the area under a ROC curve"). 0: the holdout alone."""
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    """Confidence of the bootstrap intervals (convention since Neyman 1937); that of an accuracy
    reaches at least as far as Clopper and Pearson's (1934)."""
    objective_confidence: float = Field(default=0.8, gt=0.5, lt=1)
    """One-sided confidence with which a model must meet the objective's threshold: the bound of its
    score must, unless it surely beats a champion on the same rows. Convention: 80 %, as
    `champion_confidence`."""
    class_rows: int = Field(default=5, ge=1)
    """Holdout rows that each of two classes needs, or the problem is asked anew; also those of a
    slice that is judged by more than its accuracy. Convention: the 5 per cell from which
    chi-squared holds (Cochran 1954, "Some methods for strengthening the common χ² tests")."""
    slice_rows: int = Field(default=30, ge=1)
    """Rows from which a slice is measured, judged by its floor and reported as weak: a metric on
    fewer says more about chance than about the model. Convention: 30, as `analysis.fewest_rows`."""
    slice_values: int = Field(default=50, ge=1)
    """Values of a column that are measured, the most frequent ones. Convention: more than a person
    reads; the floors of rarer values are not judged."""
    parity: float = Field(default=1e-4, gt=0, lt=1)
    """How far a score of the deployed artifact may be from the trained pipeline's (regression: in
    standard deviations of the target). Convention: far below what people see, and a thousand times
    the rounding of 32-bit floats (6e-8, IEEE 754)."""
    champion_confidence: float = Field(default=0.8, gt=0.5, lt=1)
    """One-sided confidence with which a challenger must be better than the champion, on the same
    rows. Convention: 80 %, for keeping a stale model costs as well as promoting a worse one, and a
    canary and the monitor come after it."""
