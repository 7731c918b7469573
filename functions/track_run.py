"""TrackRun: a run that has ended, sent to the contract's MLflow server with all that it tried."""

from typing import Any

from noria.aws.clients import client
from noria.contracts import Problem
from noria.ingestion.sources.secrets import read_secret
from noria.lifecycle.stage import Stage
from noria.lifecycle.stage_logging import logged, note
from noria.tracking.run_tracking import NOT_SENT, STATE, RunTracking

NO_TIME = "1970-01-01T00:00:00Z"  # nothing here goes by the time of a stage


@logged
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Send the run that an execution's last event names, or the `run` that is asked for.

    It is no state of the machine: the run has ended, and nothing waits for this. People are told
    where a server does not take it.
    """
    run_id = str(event["detail"]["name"] if "detail" in event else event["run"])
    stage = Stage.open({"state": STATE, "execution": run_id, "started_at": NO_TIME})
    problem = Problem.model_validate_json(stage.environment.problem)
    verdict = RunTracking(problem, stage.store, _secret).track(run_id)
    note(decision=verdict.decision)
    if verdict.decision == NOT_SENT:
        told = [f"Run {run_id} is not in MLflow; its own ending stays as it is.", *verdict.reasons]
        stage.topic.publish(f"Noria {stage.environment.stack}: not in MLflow", "\n".join(told))
    return {"run": run_id, "decision": verdict.decision, "reasons": verdict.reasons}


def _secret(name: str) -> dict[str, Any]:
    return read_secret(client("secretsmanager"), name)
