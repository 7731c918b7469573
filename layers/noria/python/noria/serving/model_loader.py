"""Which model this process serves: resolved once, and never changed after."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from noria.aws.lambda_answers import FOLLOW_CHAMPION
from noria.aws.model_registry import CHAMPION, MODEL, SIGNATURE, Registry
from noria.aws.s3 import Store
from noria.aws.version_pins import VersionPins
from noria.core.model.answer_warnings import TrainingLimits
from noria.core.model.answers import Answers
from noria.core.model.onnx_scoring import OnnxModel
from noria.core.model.signature import Signature
from noria.errors import NoriaError, RequestError
from noria.lifecycle.environment import parse_time
from noria.serving.explanations import background_of
from noria.serving.requests import Row

if TYPE_CHECKING:
    from noria.core.model.background_rows import BackgroundRows

UNPUBLISHED = "$LATEST"


class NoModelError(NoriaError):
    """There is no champion yet."""


@dataclass(frozen=True)
class ServedModel:
    """A loaded model version with what its evaluation measured."""

    version: str
    model: OnnxModel
    metrics: dict[str, float]
    store: Store
    run_id: str | None = None  # which trained it
    as_of: datetime | None = None  # the logical time of that run
    loaded_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def signature(self) -> Signature:
        """What the model takes and answers."""
        return self.model.signature

    @cached_property
    def limits(self) -> TrainingLimits:
        """What training saw, which requests are compared with."""
        return TrainingLimits(self.signature)

    @cached_property
    def background(self) -> "BackgroundRows":
        """The rows that answers are compared with where they are explained, read at first need."""
        return background_of(self.version, self.store)

    def age(self, now: datetime) -> dict[str, Any]:
        """How old the model is, in days, and since when this process has it."""
        days = None if self.as_of is None else (now - self.as_of).total_seconds() / 86_400
        return {
            "trained_as_of": None if self.as_of is None else self.as_of.isoformat(),
            "age_days": None if days is None else round(days, 3),
            "loaded_at": self.loaded_at.isoformat(timespec="seconds"),
            "loaded_seconds_ago": round((now - self.loaded_at).total_seconds()),
        }

    def answer(self, rows: Sequence[Row]) -> Answers:
        """Score request rows; raises RequestError where one does not fit the signature."""
        answers = self.model.answer(rows)
        infinite = answers.first_infinite()
        if infinite is not None:
            raise RequestError(
                f"row {infinite} has no finite prediction: send values nearer to those that "
                "GET /model lists"
            )
        return answers


def load(model: str, function_version: str, store: Store, pins: VersionPins) -> ServedModel:
    """Load the model that a function version serves; raises NoModelError, RegistryError."""
    follows = model in ("", FOLLOW_CHAMPION)
    named = _pinned(function_version, pins, Registry(store)) if follows else model
    return load_version(named, store)


def load_version(version: str, store: Store) -> ServedModel:
    """Load a model version; raises RegistryError."""
    registry = Registry(store)
    with ThreadPoolExecutor() as side_by_side:
        files = side_by_side.submit(registry.files, version, (MODEL, SIGNATURE))
        trained = side_by_side.submit(registry.trained_by, version)
        metrics = side_by_side.submit(_metrics, version, store)
        as_of = side_by_side.submit(_as_of, version, store)
    onnx, signature = files.result()
    scorer = OnnxModel(onnx, Signature.model_validate_json(signature))
    run_id, _ = trained.result() or (None, 0)
    return ServedModel(version, scorer, metrics.result(), store, run_id, as_of.result())


def _pinned(function_version: str, pins: VersionPins, registry: Registry) -> str:
    """Return the version's own model, which is the champion of the moment it was first asked."""
    if function_version in ("", UNPUBLISHED):
        return _champion(registry)
    pinned = pins.model_of(function_version)
    return pinned or pins.pin(function_version, _champion(registry))


def _champion(registry: Registry) -> str:
    champion = registry.champion()
    if champion is None:
        raise NoModelError(
            "there is no model yet: drop the data into incoming/ and start the state machine; "
            "the endpoint answers once an execution ends in Promote"
        )
    return champion.version


def _metrics(version: str, store: Store) -> dict[str, float]:
    """Return what evaluation measured, or nothing where that was not recorded."""
    evaluation = store.get_json(f"models/{version}/evaluation.json", None)
    if evaluation is None:
        current = store.get_json(CHAMPION, None) or {}
        evaluation = current if current.get("version") == version else {}
    return {str(name): float(value) for name, value in evaluation.get("metrics", {}).items()}


def _as_of(version: str, store: Store) -> datetime | None:
    """Return the logical time of the run that trained a version, or None where it is unknown."""
    lineage = store.get_json(f"models/{version}/lineage.json", None) or {}
    return parse_time(lineage["as_of"]) if "as_of" in lineage else None
