"""CheckCanary: does the new version answer as well as the old one? Asked each minute."""

from typing import Any

from noria.core.lifecycle.canary import CanaryWindow, judge_canary, next_pause
from noria.errors import ContractError
from noria.lifecycle.canary_observation import observe_copies, observe_share
from noria.lifecycle.stage import Stage
from noria.lifecycle.stage_logging import logged


@logged
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Compare the two versions' answers so far; how long that is follows from the waits."""
    stage = Stage.open(event)
    stage.retake_lease()  # a canary may be patient for longer than a lease lasts
    deployment, before = stage.problem.deployment, stage.event.result("canary")
    canary = deployment.canary
    if canary is None:
        raise ContractError("deployment.canary is null, so there is nothing to check")
    window = CanaryWindow(
        waited=before["waited"] + before["seconds"],
        lasts=canary.minutes * 60,
        longest=canary.longest.total_seconds(),
        enough=canary.minimum_requests,
    )
    seen = (observe_copies if deployment.shadow else observe_share)(stage)
    verdict = judge_canary(seen.new, seen.old, window, seen.complaints)
    told = verdict.model_copy(update={"reasons": [*verdict.reasons, *seen.told]})
    return {
        **stage.decided(told),
        "since": before["since"],
        "waited": window.waited,
        "seconds": next_pause(seen.new.requests, window),
        **seen.carried,
    }
