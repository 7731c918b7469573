"""RollBack: the canary was not healthy; the champion gets all traffic again."""

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
    return conclude(stage, stage.event.state, stage.event.result("canary").get("reasons", []))
