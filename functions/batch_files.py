"""Batch prediction, all but the scoring: which files, what is in them, and their answers."""

from typing import Any

from noria.batch import files, finishing, planning
from noria.batch.batch_step import BatchStep
from noria.errors import NoriaError
from noria.lifecycle.environment import Environment, StageEvent
from noria.lifecycle.stage_logging import logged

STEPS = {
    "PlanBatch": planning.plan,
    "ReadBatchFile": files.read_batch_file,
    "ListBatchParts": finishing.list_parts,
    "WriteBatchPart": files.write_batch_part,
    "FinishBatch": finishing.finish,
}


@logged
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Do the step that the state names; its machine is infra/constructs/batch_machine.py."""
    step = BatchStep(StageEvent.model_validate(event), Environment.read())
    step.begin()
    try:
        return STEPS[step.event.state](step)
    except NoriaError as error:
        step.failed(error)
        raise
