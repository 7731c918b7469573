"""ShiftCanary: a small share of live traffic to the new version."""

from typing import Any

from noria.errors import ContractError
from noria.lifecycle.stage import Stage
from noria.lifecycle.stage_logging import logged


@logged
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Weigh the alias."""
    stage = Stage.open(event)
    canary = stage.problem.deployment.canary
    if canary is None:
        raise ContractError("deployment.canary is null, so there is no share to shift")
    version = stage.event.result("publish")["function_version"]
    stage.endpoint.shift(version, canary.share)
    return {"function_version": version, "share": canary.share}
