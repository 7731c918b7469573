"""From which probability on a model's answer is the positive class, and what else there was."""

from pydantic import BaseModel, ConfigDict

from noria.common.metric_table import Aim

AIMS: dict[Aim, str] = {
    "f1": "the best F1",
    "f1_macro": "the best macro F1",
    "balanced_accuracy": "the best balanced accuracy",
    "costs": "the least costs",
    "alarm_share": "the most positives among as many rows as can be followed up",
    "recall_at_precision": "the most recall at the wanted precision",
    "precision_at_recall": "the most precision at the wanted recall",
}


class TradeOff(BaseModel):
    """What a threshold does: the share of rows that are called positive, and how rightly."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    threshold: float
    share: float
    precision: float
    recall: float


class Decision(BaseModel):
    """The threshold of a binary model, chosen on rows that its folds did not train on.

    `low` and `high` are how far it moves when these rows are drawn anew (90 %); `chosen_for` is
    what it is best for. `curve` goes from few alarms to many.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    threshold: float
    low: float
    high: float
    chosen_for: Aim
    rows: int
    curve: tuple[TradeOff, ...] = ()

    @property
    def sentence(self) -> str:
        """What is answered from which probability on, and what for."""
        return (
            f"the positive class is answered from probability {self.threshold:.4g} on "
            f"({self.low:.3g} to {self.high:.3g} where rows are drawn anew): "
            f"{AIMS[self.chosen_for]} on {self.rows:,} rows that the folds held out"
        )
