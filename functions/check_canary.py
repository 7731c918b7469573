"""CheckCanary: did the new version answer as well as the old one while it had its share?"""

from datetime import UTC, datetime, timedelta
from typing import Any

from noria.aws.clients import client
from noria.aws.cloudwatch import version_traffic
from noria.core.lifecycle.canary import judge_canary
from noria.lifecycle.stage import Stage
from noria.lifecycle.stage_logging import logged


@logged
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Compare the two versions' errors and durations over the canary's time."""
    stage = Stage.open(event)
    publish = stage.event.result("publish")
    end = datetime.now(UTC)
    start = end - timedelta(seconds=publish["canary_seconds"] + 120)
    new, old = (
        version_traffic(client("cloudwatch"), stage.environment.endpoint_function,
                        stage.environment.alias, publish[name], start, end)
        for name in ("function_version", "previous")
    )  # fmt: skip
    return stage.decided(judge_canary(new, old))
