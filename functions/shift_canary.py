"""ShiftCanary: a small share of live traffic to the new version, or copies of it alone."""

from datetime import UTC, datetime
from typing import Any

from noria.core.lifecycle.canary import first_pause
from noria.errors import ContractError
from noria.lifecycle.stage import Stage
from noria.lifecycle.stage_logging import logged


@logged
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Weigh the alias; a shadow gets no share of it."""
    stage = Stage.open(event)
    canary = stage.problem.deployment.canary
    if canary is None:
        raise ContractError("deployment.canary is null, so there is no share to shift")
    version = stage.event.result("publish")["function_version"]
    share = 0.0 if stage.problem.deployment.shadow else canary.share
    if share:
        stage.endpoint.shift(version, share)
    return {
        "function_version": version,
        "share": share,
        "since": datetime.now(UTC).isoformat(),
        "waited": 0,
        "seconds": first_pause(canary.minutes * 60),
    }
