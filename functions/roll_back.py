"""RollBack: the canary was not healthy; the champion gets all traffic again."""

from typing import Any

from noria.lifecycle.conclude import conclude
from noria.lifecycle.stage import Stage
from noria.lifecycle.stage_logging import logged


@logged
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Point the alias back and end the run."""
    stage = Stage.open(event)
    stage.endpoint.point_to(stage.event.result("publish")["previous"])
    return conclude(stage, stage.event.state, stage.event.result("canary").get("reasons", []))
