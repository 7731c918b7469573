"""PublishChallenger: an endpoint version that serves the new model and no other, ever."""

from datetime import timedelta
from typing import Any

from noria.errors import RegistryError
from noria.lifecycle.old_versions import delete_old_versions
from noria.lifecycle.stage import Stage
from noria.lifecycle.stage_logging import logged


@logged
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Publish the version; nothing is sent to it yet, and what serves is the champion."""
    stage = Stage.open(event)
    canary = stage.problem.deployment.canary
    stage.retake_lease(timedelta(minutes=canary.minutes if canary else 0))
    _check_champion(stage)
    stage.served.ensure()
    published = {
        "previous": stage.endpoint.live_version(),
        "function_version": stage.endpoint.publish(stage.version),
        "canary": canary is not None and stage.registry.champion() is not None,
    }
    delete_old_versions(stage.served)
    return published


def _check_champion(stage: Stage) -> None:
    """Refuse a challenger that was compared with another champion than the one that serves."""
    champion = stage.registry.champion()
    serving = champion.version if champion else None
    compared = stage.event.result("score").get("champion")
    if serving not in (compared, stage.version):
        raise RegistryError(
            f"version '{stage.version}' was compared with {_named(compared)}, but "
            f"{_named(serving)} serves since; start a new execution to compare them"
        )


def _named(version: str | None) -> str:
    return f"version '{version}'" if version else "no champion"
