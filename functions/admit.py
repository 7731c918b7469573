"""Admit: one run at a time, within cooldown and budget."""

from datetime import UTC, datetime
from typing import Any

from noria.aws.run_log import RunLog
from noria.common.verdict import Verdict
from noria.contracts import Problem
from noria.core.lifecycle.run_admission import PastRun, admit
from noria.lifecycle.environment import parse_time
from noria.lifecycle.execution_input import check_input
from noria.lifecycle.stage import Stage
from noria.lifecycle.stage_logging import logged


@logged
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Judge whether this execution may run, take the lease, and lay out the run's state.

    One that only brings the feature store up to date may run beside any other, and is no turn of
    the wheel: it takes no lease, and neither the cooldown nor the budget counts it.
    """
    stage = Stage.open(event)
    check_input(stage.event.input, datetime.now(UTC))
    verdict = _beside(stage) if stage.event.features_only else _admitted(stage)
    run = {
        "id": stage.event.execution,
        "as_of": stage.event.as_of.isoformat(),
        "cause": _cause(stage),
        "only": stage.event.input.get("only", ""),
    }
    return {"run": run, "input": stage.event.input, "admit": stage.decided(verdict)}


def _beside(stage: Stage) -> Verdict:
    _deployed(stage).merged(stage.event.input.get("problem", {}))
    return Verdict(decision="run", reasons=["brings the feature store up to date, beside any run"])


def _admitted(stage: Stage) -> Verdict:
    problem = _deployed(stage).merged(stage.event.input.get("problem", {}))
    automatic = _cause(stage).get("kind") == "alarm"
    log = RunLog(stage.store)
    verdict = admit(
        run_id=stage.event.execution,
        holder=_take_lease(stage),
        past=[_past(entry) for entry in log.entries()],
        rules=problem.retraining,
        automatic=automatic,
        as_of=stage.event.as_of,
    )
    if verdict.decision == "run":
        log.record(stage.event.execution, as_of=stage.event.as_of, automatic=automatic)
    else:
        stage.leases.release(stage.event.execution)
    return verdict


def _cause(stage: Stage) -> dict[str, Any]:
    return stage.event.input.get("cause") or {"kind": "person"}


def _deployed(stage: Stage) -> Problem:
    return Problem.model_validate_json(stage.environment.problem)


def _take_lease(stage: Stage) -> str | None:
    return stage.leases.acquire(stage.event.execution, datetime.now(UTC)).holder


def _past(entry: dict[str, Any]) -> PastRun:
    return PastRun(
        run_id=entry["run_id"],
        as_of=parse_time(entry["as_of"]),
        ending=entry.get("ending"),
        automatic=bool(entry.get("automatic")),
    )
