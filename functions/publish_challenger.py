"""PublishChallenger: an endpoint version that serves the new model and no other, ever."""

from typing import Any

from noria.context import Stage


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Publish the version; nothing is sent to it yet."""
    stage = Stage.open(event)
    canary = stage.problem.deployment.canary
    return {
        "previous": stage.endpoint.live_version(),
        "function_version": stage.endpoint.publish(stage.version),
        "canary": canary is not None and stage.registry.champion() is not None,
        "canary_seconds": round(canary.minutes * 60) if canary else 0,
    }
