"""What the monitor remembers between ticks, what it saw in one, and what it makes of that."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Self

from pydantic import BaseModel, ConfigDict

from noria.common.verdict import Verdict
from noria.contracts import Monitoring, Problem
from noria.core.monitoring.prediction_log import Score
from noria.core.statistics import metrics

KEYS_KEPT = 1000
UNMATCHED_KEPT = 50_000
PAIRS_KEPT = 20_000


class Cursor(BaseModel):
    """How far a prefix has been read; delivery may be late, so the latest keys are all kept.

    Everything up to `floor` is done with; behind it, what is in `seen`.
    """

    floor: str = ""
    seen: list[str] = []

    def fresh(self, keys: Sequence[str]) -> list[str]:
        """Keep the keys that have not been read."""
        seen = set(self.seen)
        return [key for key in keys if key > self.floor and key not in seen]

    def advanced(self, keys: Sequence[str]) -> Self:
        """The cursor after reading these keys."""
        seen = sorted({*self.seen, *keys})
        dropped, kept = seen[:-KEYS_KEPT], seen[-KEYS_KEPT:]
        return type(self)(floor=dropped[-1] if dropped else self.floor, seen=kept)


class SegmentEntry(BaseModel):
    """A segment of the index: whose predictions it holds, and between which ids."""

    key: str
    model: str
    first: str
    last: str
    at: datetime


class Waiting(BaseModel):
    """A label whose prediction has not been seen, since when."""

    value: Any
    since: datetime


class Observation(BaseModel):
    """What one tick saw: a row of the table `monitoring`; what could not be computed is null.

    `quality_low` and `quality_high` are the ends of the quality's interval, at the contract's
    `evaluation.confidence`, resampled as the holdout's (percentile bootstrap, Efron 1979).
    """

    model_config = ConfigDict(extra="forbid")

    at: datetime
    model_version: str
    predictions: int = 0
    compared: int = 0
    drift: float | None = None
    prediction_drift: float | None = None
    quality: float | None = None
    quality_low: float | None = None
    quality_high: float | None = None
    labels: int = 0
    labels_unmatched: int = 0
    labels_of_others: int = 0
    records_refused: int = 0
    new_rows: int | None = None
    model_age_days: float = 0.0
    columns: dict[str, float] = {}
    decision: str = "quiet"
    reasons: list[str] = []

    def published(self) -> dict[str, float]:
        """The metrics of this tick by name."""
        values = {
            "Drift": self.drift,
            "PredictionDrift": self.prediction_drift,
            "Quality": self.quality,
            "NewRows": self.new_rows,
            "ModelAge": self.model_age_days,
            "Predictions": self.predictions,
        }
        return {name: float(value) for name, value in values.items() if value is not None}

    def verdict(self) -> Verdict:
        """The tick as a decision with its reasons and numbers."""
        evidence = self.model_dump(mode="json", exclude={"decision", "reasons"})
        return Verdict(decision=self.decision, reasons=self.reasons, evidence=evidence)


class State(BaseModel):
    """What the monitor knows after its latest tick, the tick's own result included."""

    tick: datetime | None = None
    observation: Observation | None = None
    model: str = ""
    predictions: Cursor = Cursor()
    labels: Cursor = Cursor()
    waiting: list[str] = []
    segments: list[SegmentEntry] = []
    unmatched: dict[str, Waiting] = {}
    pairs: list[tuple[float, Score]] = []
    labelled: int = 0
    file_rows: dict[str, int] = {}

    def of_model(self, version: str) -> Self:
        """Forget what was gathered about an earlier champion."""
        if version == self.model:
            return self
        return self.model_copy(update={"model": version, "waiting": [], "pairs": [], "labelled": 0})

    def expired(self, now: datetime, window: timedelta) -> Self:
        """Forget segments and labels that are older than labels may be."""
        oldest = now - window
        kept = {k: v for k, v in self.unmatched.items() if v.since >= oldest}
        return self.model_copy(
            update={
                "segments": [entry for entry in self.segments if entry.at >= oldest],
                "unmatched": dict(list(kept.items())[-UNMATCHED_KEPT:]),
                "pairs": self.pairs[-PAIRS_KEPT:],
            }
        )


def enough_labels(count: int, problem: Problem) -> bool:
    """Whether there are enough labels to compute a metric."""
    limits = problem.monitoring
    least = limits.minimum_values if problem.task == "regression" else limits.minimum_labels
    return count >= least


def with_verdict(seen: Observation, problem: Problem, notes: Sequence[str]) -> Observation:
    """Decide whether live use has drifted, with the reasons."""
    limits = problem.monitoring
    drifted = seen.drift is not None and seen.drift > limits.drift
    reasons = [_about_drift(seen, limits), *_about_quality(seen, problem), *notes]
    return seen.model_copy(
        update={"decision": "drifted" if drifted else "quiet", "reasons": reasons}
    )


def _about_drift(seen: Observation, limits: Monitoring) -> str:
    if seen.drift is None:
        return (
            f"{seen.compared} predictions wait to be compared: "
            f"{limits.minimum_predictions} are needed to distinguish drift from noise"
        )
    limit = limits.drift
    relation = "above" if seen.drift > limit else "within"
    return f"drift {seen.drift:.3f} of {seen.compared} predictions is {relation} {limit:g}"


def _about_quality(seen: Observation, problem: Problem) -> list[str]:
    floor, metric = problem.monitoring.quality_floor, problem.objective.metric
    if seen.quality is None:
        return []
    if floor is None:
        return [f"{metric} of the labelled predictions is {seen.quality:.3f}"]
    relation = "meets" if metrics.meets(metric, seen.quality, floor) else "misses"
    return [f"{metric} {seen.quality:.3f} of the labelled predictions {relation} {floor:g}"]
