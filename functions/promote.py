"""Promote: the champion pointer to the new model, and then all traffic to its version."""

from datetime import UTC, datetime
from typing import Any

from noria.aws.model_registry import Champion
from noria.lifecycle.conclude import conclude
from noria.lifecycle.environment import message_of
from noria.lifecycle.stage import Stage
from noria.lifecycle.stage_logging import logged


@logged
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Make the challenger the champion and end the run."""
    stage = Stage.open(event)
    # What had the canary, or the same model with the code that was deployed since: neither a code
    # nor a model deployment undoes the other.
    function_version = stage.endpoint.publish(stage.version)
    _move_pointer(stage, function_version)
    stage.endpoint.point_to(function_version)
    reasons = stage.event.result("evaluate")["reasons"]
    return conclude(
        stage, stage.event.state, [f"version {stage.version} serves", *reasons, *_fit(stage)]
    )


def _move_pointer(stage: Stage, function_version: str) -> None:
    """Make the challenger the registry's champion, unless a delivery before has."""
    current = stage.registry.champion()
    if current is not None and current.version == stage.version:
        stage.registry.remember(current)
        return
    compared = stage.event.result("score").get("champion")
    stage.registry.promote(_champion(stage, function_version), replacing=compared)


def _fit(stage: Stage) -> list[str]:
    """What became of the fit on all rows, where one was wanted."""
    failed = stage.event.result("not_fitted")
    if failed:
        cause = message_of(str(failed.get("Cause", "")))
        return [f"the fit on all rows failed ({failed.get('Error')}: {cause})"]
    return list(stage.event.result("final").get("reasons", []))


def _champion(stage: Stage, function_version: str) -> Champion:
    return Champion(
        version=stage.version,
        run_id=stage.event.execution,
        as_of=stage.event.as_of,
        function_version=function_version,
        metric=stage.problem.objective.metric,
        metrics=stage.event.result("evaluate")["metrics"],
        training_rows=_rows(stage),
        promoted_at=datetime.now(UTC),
    )


def _rows(stage: Stage) -> int:
    """The rows that what serves was fitted on: all of them after a final fit."""
    fitted = stage.event.result("final") or stage.event.result("train")
    return int(fitted["rows"])
