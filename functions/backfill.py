"""Backfill: feature rows of a range of event times computed again; and small files merged."""

from typing import Any

from noria.errors import NoriaError
from noria.lifecycle.environment import Environment, StageEvent
from noria.lifecycle.stage_logging import logged
from noria.materialization.backfill import Backfiller


@logged
def handler(event: dict[str, Any], context: Any) -> Any:
    """Do the step that the state names; its machine is infra/constructs/backfill_machine.py."""
    backfiller = Backfiller(StageEvent.model_validate(event), Environment.read())
    steps = {
        "PlanBackfill": backfiller.plan,
        "BackfillMonth": backfiller.compute,
        "PublishBackfill": backfiller.publish,
        "CompactFeatures": backfiller.compact,
    }
    try:
        return steps[backfiller.event.state]()
    except NoriaError as error:
        backfiller.failed(error)
        raise
