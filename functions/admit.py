"""Admit: one run at a time, within cooldown and budget."""

from datetime import UTC, datetime, timedelta
from typing import Any

from noria.aws.runlog import RunLog
from noria.context import Stage
from noria.contracts import Problem
from noria.core.admission import PastRun, admit
from noria.core.verdicts import Verdict
from noria.errors import ContractError
from noria.runtime import FEATURES_ONLY, parse_time

AHEAD = timedelta(days=7)  # by which a clock may be played forward, to see what alarms do
KNOWN_INPUT = frozenset({"problem", "cause", "as_of", "only"})


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Judge whether this execution may run, take the lease, and lay out the run's state.

    One that only brings the feature store up to date may run beside any other, and is no turn of
    the wheel: it takes no lease, and neither the cooldown nor the budget counts it.
    """
    stage = Stage.open(event)
    _check_input(stage.event.input)
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


def _check_input(given: dict[str, Any]) -> None:
    unknown = sorted(set(given) - KNOWN_INPUT)
    if unknown:
        raise ContractError(
            f"input.{unknown[0]}: is not known; an execution takes {{}} or "
            f"{', '.join(sorted(KNOWN_INPUT))}"
        )
    if given.get("only", FEATURES_ONLY) != FEATURES_ONLY:
        raise ContractError(
            f"input.only: {given['only']!r} is not known; the only part that runs by itself is "
            f"{FEATURES_ONLY!r}"
        )
    if "as_of" in given:
        _check_time(given["as_of"])
    if not isinstance(given.get("cause", {}), dict):
        raise ContractError(f"input.cause: is a mapping with kind, not {given['cause']!r}")


def _check_time(value: Any) -> None:
    try:
        moment = parse_time(value)
    except (TypeError, ValueError) as error:
        raise ContractError(
            f"input.as_of: {value!r} is not a time; write for example 2026-11-24T00:00:00Z"
        ) from error
    if moment > datetime.now(UTC) + AHEAD:
        raise ContractError(
            f"input.as_of: {value!r} lies ahead; what is kept and how old a model is follow from "
            "it: give a time that has come"
        )


def _take_lease(stage: Stage) -> str | None:
    return stage.leases.acquire(stage.event.execution, datetime.now(UTC)).holder


def _past(entry: dict[str, Any]) -> PastRun:
    return PastRun(
        run_id=entry["run_id"],
        as_of=parse_time(entry["as_of"]),
        ending=entry.get("ending"),
        automatic=bool(entry.get("automatic")),
    )
