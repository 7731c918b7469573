"""One tick of the monitor: what came since the last, set against the champion's reference."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from noria.aws.model_registry import Champion, Registry
from noria.aws.s3 import MissingObjectError, Store, encode
from noria.common.arrays import Array
from noria.contracts import Problem
from noria.core.model.signature import Signature
from noria.core.monitoring import prediction_log
from noria.core.monitoring.state import Observation, State, enough_labels, with_verdict
from noria.core.statistics import metrics
from noria.core.statistics.bootstrap import Replicates
from noria.core.statistics.drift import DriftReference, measure_drift
from noria.core.statistics.resampled_scores import Bounds
from noria.errors import ContentionError, DataError, RegistryError
from noria.monitoring.label_join import LabelJoin, Labelled
from noria.monitoring.new_rows import new_rows

# Names with an underscore: Athena passes over them when it reads the table `monitoring`.
STATE = "monitoring/_state.json"
COMPARED_AT_MOST = 100_000
ATTEMPTS = 3
RESAMPLING_SEED = 0  # the same labels give the same interval


def row_key(at: datetime) -> str:
    """Where the tick of a time is recorded."""
    return f"monitoring/{at.astimezone(UTC):%Y-%m-%dT%H-%M-%SZ}.json"


def recorded(store: Store, at: datetime) -> Observation | None:
    """The tick of this time, where it has been observed already."""
    found = store.get_json(row_key(at), None)
    return None if found is None else Observation.model_validate(found)


def observe(store: Store, problem: Problem, champion: Champion, at: datetime) -> Observation:
    """Observe a tick and remember it: the state, which holds the result too, is the commit."""

    def watch(stored: Any) -> Any:
        state = State.model_validate(stored or {})
        if state.tick == at and state.observation is not None:
            return None
        return _Tick(store, problem, champion, at, state).run().model_dump(mode="json")

    try:
        state = State.model_validate(store.update(STATE, watch, range(ATTEMPTS)))
    except ContentionError as error:
        raise RegistryError(
            f"'{STATE}' kept changing under the monitor; the next tick tries again"
        ) from error
    assert state.observation is not None  # noqa: S101 - a tick always leaves one
    return _record(store, state.observation)


def _record(store: Store, seen: Observation) -> Observation:
    store.put(row_key(seen.at), encode(seen.model_dump(mode="json")) + b"\n", "application/json")
    return seen


@dataclass
class _Arrived:
    """The predictions that a tick reads."""

    ids: dict[str, list[str]] = field(default_factory=dict)
    scores: dict[str, list[Array]] = field(default_factory=dict)
    parts: list[tuple[dict[str, Array], Array]] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    refused: int = 0

    @property
    def rows(self) -> int:
        """How many of the champion's predictions there are to compare."""
        return sum(len(scores) for _, scores in self.parts)


class _Tick:
    """What one tick works with; `run` gives the state after it."""

    def __init__(
        self, store: Store, problem: Problem, champion: Champion, at: datetime, state: State
    ) -> None:
        registry = Registry(store)
        version = champion.version
        self._store, self._problem, self._champion, self._at = store, problem, champion, at
        self._committed = state.tick
        self._state = state.of_model(version).expired(at, problem.monitoring.waiting)
        self._signature = Signature.model_validate(registry.json_file(version, "signature.json"))
        self._reference = DriftReference.model_validate(registry.reference(version))
        classes = len(self._signature.classes)
        self._widths = {version: classes if classes > 2 else 0}
        self._notes: list[str] = []

    def run(self) -> State:
        """Read what came, join it, measure it, and say what it means."""
        state, version = self._state, self._champion.version
        keys = state.predictions.fresh(
            self._store.keys("predictions/", state.predictions.floor or None)
        )
        arrived = self._read(keys)
        labelled = self._join(arrived)
        seen = Observation(
            at=self._at,
            model_version=version,
            predictions=len(set(arrived.ids.get(version, []))),
            labels=labelled.matched,
            labels_unmatched=len(labelled.unmatched),
            labels_of_others=labelled.of_others,
            records_refused=arrived.refused + labelled.refused,
            model_age_days=max(0.0, (self._at - self._champion.as_of).total_seconds() / 86_400),
        )
        seen = self._with_drift(seen, arrived)
        pairs = [*state.pairs, *labelled.pairs]
        seen, judged_pairs = self._with_quality(seen, pairs)
        count = state.labelled + labelled.matched
        rows, file_rows = new_rows(
            self._store, self._problem.primary, self._champion.run_id, count, state.file_rows
        )
        seen = seen.model_copy(update={"new_rows": rows})
        return state.model_copy(
            update={
                "tick": max(self._at, self._committed or self._at),
                "observation": with_verdict(seen, self._problem, self._notes),
                "predictions": state.predictions.advanced(keys),
                "labels": state.labels.advanced(labelled.keys),
                "waiting": arrived.waiting if seen.drift is None else [],
                "segments": labelled.segments,
                "unmatched": labelled.unmatched,
                "pairs": [] if judged_pairs else pairs,
                "labelled": count,
                "file_rows": file_rows,
            }
        ).expired(self._at, self._problem.monitoring.waiting)

    def _read(self, keys: list[str]) -> _Arrived:
        """Read new objects, and again those whose predictions were too few to compare."""
        arrived = _Arrived()
        for key in self._state.waiting:
            self._read_object(key, arrived, index=False)
        for key in keys:
            self._read_object(key, arrived, index=True)
        return arrived

    def _read_object(self, key: str, arrived: _Arrived, *, index: bool) -> None:
        try:
            records, refused = prediction_log.parse_lines(self._store.get(key))
        except MissingObjectError:
            self._notes.append(f"{key} is gone")
            return
        groups, unusable = prediction_log.by_model(records, self._widths)
        arrived.refused += refused + unusable if index else 0
        for model, group in groups.items():
            scores = prediction_log.scores_of(group)
            if index:
                arrived.ids.setdefault(model, []).extend(r["prediction_id"] for r in group)
                arrived.scores.setdefault(model, []).append(scores)
            if model == self._champion.version:
                columns = prediction_log.columns_of(group, self._reference, self._signature.columns)
                arrived.parts.append((columns, scores))
                arrived.waiting.append(key)

    def _join(self, arrived: _Arrived) -> Labelled:
        join = LabelJoin(self._store, self._state, self._champion.version, self._signature)
        for model, ids in arrived.ids.items():
            join.add(model, ids, np.concatenate(arrived.scores[model]), self._at)
        return join.run(self._at, self._committed)

    def _with_drift(self, seen: Observation, arrived: _Arrived) -> Observation:
        rows = arrived.rows
        if rows < self._problem.monitoring.minimum_predictions:
            return seen.model_copy(update={"compared": rows})
        columns, scores = prediction_log.thinned(arrived.parts, COMPARED_AT_MOST)
        report = measure_drift(self._reference, columns, scores)
        self._notes += report.reasons
        return seen.model_copy(
            update={
                "compared": rows,
                "drift": report.drift,
                "prediction_drift": report.predictions.psi if report.predictions else None,
                "columns": {column.name: column.psi for column in report.columns},
            }
        )

    def _with_quality(
        self, seen: Observation, pairs: list[tuple[float, prediction_log.Score]]
    ) -> tuple[Observation, bool]:
        """Measure the labelled predictions where there are enough; returns whether it did."""
        if not enough_labels(len(pairs), self._problem):
            return seen, False
        truth = np.array([truth for truth, _ in pairs])
        scores = np.array([score for _, score in pairs], dtype=np.float64)
        codes = truth if self._problem.task == "regression" else truth.astype(np.int64)
        try:
            metric = self._problem.objective.measure
            answers = metrics.decided(metric, scores, self._signature.threshold)
            quality = metrics.score(metric, codes, answers)
            drawn = Replicates(metric, codes, RESAMPLING_SEED).of(answers)
        except DataError as error:
            self._notes.append(f"quality waits for more labels: {error}")
            return seen, False
        ends = Bounds.of(drawn, self._problem.evaluation.confidence).listed()
        low, high = ends or (None, None)
        known = {"quality": quality, "quality_low": low, "quality_high": high}
        return seen.model_copy(update=known), True
