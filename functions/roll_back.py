"""RollBack: the replay or the canary was not well; the champion gets all traffic again."""

from typing import Any

from noria.lifecycle.conclude import conclude
from noria.lifecycle.stage import Stage
from noria.lifecycle.stage_logging import logged


@logged
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take the challenger's traffic away and end the run."""
    stage = Stage.open(event)
    published = stage.event.result("publish")
    stage.endpoint.withdraw(published["function_version"], published["previous"])
    judged = next(filter(None, map(stage.event.result, ("canary", "replay"))), {})
    return conclude(stage, stage.event.state, judged.get("reasons", []))
