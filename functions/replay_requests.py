"""ReplayRequests: what was asked before is asked of the new version, which nobody else asks yet."""

from typing import Any

from noria.lifecycle.request_replay import RequestReplay, rehearse
from noria.lifecycle.stage import Stage
from noria.lifecycle.stage_logging import logged


@logged
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Judge the version by logged requests and by rows of the holdout."""
    stage = Stage.open(event)
    found = rehearse(stage, RequestReplay.of(stage))
    return {**stage.decided(found.verdict), "most_common": found.most_common}
