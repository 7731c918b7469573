"""What is known of each metric besides its formula, which is in `noria.core.statistics.metrics`.

Contract, alarms, reports and formulas read it here; it is pure Python, as the contract is.
"""

from dataclasses import dataclass
from typing import Literal

Task = Literal["binary", "multiclass", "regression"]
BINARY: tuple[Task, ...] = ("binary",)
CLASSES: tuple[Task, ...] = ("binary", "multiclass")
REGRESSION: tuple[Task, ...] = ("regression",)
#: What a binary model's threshold is chosen for.
Aim = Literal[
    "f1", "f1_macro", "balanced_accuracy", "costs", "alarm_share", "recall_at_precision",
    "precision_at_recall",
]  # fmt: skip
ALL_TASKS = CLASSES + REGRESSION


@dataclass(frozen=True, kw_only=True)
class MetricRow:
    """A metric: how people write it, its tasks, its range (None: no end), and its direction.

    `balancing` metrics judge labels, each class alike: rare classes must weigh as much as others.
    """

    title: str
    description: str
    tasks: tuple[Task, ...]
    least: float | None = 0.0
    largest: float | None = 1.0
    higher_is_better: bool = True
    balancing: bool = False


#: In the contract's order. Ranges by the definitions in scikit-learn's documentation.
METRICS = {
    "accuracy": MetricRow(title="accuracy", description="share of right labels", tasks=CLASSES),
    "balanced_accuracy": MetricRow(
        title="balanced accuracy", description="mean recall per class", tasks=CLASSES,
        balancing=True,
    ),
    "f1": MetricRow(
        title="F1", description="F1 of the positive class (multiclass: macro)", tasks=BINARY,
        balancing=True,
    ),
    "f1_macro": MetricRow(
        title="macro F1", description="mean F1 of the classes", tasks=CLASSES, balancing=True
    ),
    "roc_auc": MetricRow(
        title="ROC AUC", description="chance to rank a positive above a negative", tasks=CLASSES
    ),
    "average_precision": MetricRow(
        title="average precision", description="area under precision-recall", tasks=BINARY
    ),
    "log_loss": MetricRow(
        title="log loss", description="surprise at the truth, in nats", tasks=CLASSES,
        largest=None, higher_is_better=False,
    ),
    "recall_at_precision": MetricRow(
        title="recall at precision",
        description="positives found while at least 80% of alarms are right", tasks=BINARY,
    ),
    "precision_at_recall": MetricRow(
        title="precision at recall",
        description="alarms that are right while at least 80% of positives are found", tasks=BINARY,
    ),
    "rmse": MetricRow(
        title="RMSE", description="root of the mean squared error", tasks=REGRESSION,
        largest=None, higher_is_better=False,
    ),
    "mae": MetricRow(
        title="MAE", description="mean absolute error", tasks=REGRESSION,
        largest=None, higher_is_better=False,
    ),
    "r2": MetricRow(
        title="R²", description="share of the variance explained", tasks=REGRESSION, least=None
    ),
}  # fmt: skip
LOWER_IS_BETTER = frozenset(name for name, row in METRICS.items() if not row.higher_is_better)
