"""Backfill: feature rows of a range of event times computed again; and small files merged."""

from typing import Any

from noria.errors import NoriaError
from noria.feature_backfill import Backfiller
from noria.runtime import Environment, StageEvent


def handler(event: dict[str, Any], context: Any) -> Any:
    """Do the step that the state names; its machine is infra/backfill.py."""
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
