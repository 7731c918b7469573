"""RollBack: the canary was not healthy; the champion gets all traffic again."""

from typing import Any

from noria.context import Stage
from noria.endings import conclude


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Point the alias back and end the run."""
    stage = Stage.open(event)
    stage.endpoint.point_to(stage.event.result("publish")["previous"])
    return conclude(stage, stage.event.state, stage.event.result("canary").get("reasons", []))
