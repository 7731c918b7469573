"""Batch prediction: a part's rows, scored as the endpoint scores a request's."""

from typing import Any

from noria.batch.batch_step import BatchStep
from noria.batch.scoring import score_part
from noria.errors import NoriaError
from noria.lifecycle.environment import Environment, StageEvent
from noria.lifecycle.stage_logging import logged


@logged
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Score the part that the state names; its machine is infra/constructs/batch_machine.py."""
    step = BatchStep(StageEvent.model_validate(event), Environment.read())
    step.begin()
    try:
        return score_part(step)
    except NoriaError as error:
        step.failed(error)
        raise
