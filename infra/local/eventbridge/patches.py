"""Where moto's EventBridge answers differently from AWS."""

from typing import Any

from infra.local.eventbridge.bus import Bus
from infra.local.patching import Patches


def patch(patches: Patches, bus: Bus) -> None:
    """Deliver events to the targets of rules."""
    from moto.events import models

    # moto knows no Step Functions, Lambda or SNS targets, no Input and InputPath, no disabled
    # rules and no dead-letter queues, and fails a PutEvents call that reaches such a target.
    def send_to_targets(self: Any, event: Any, transform_input: bool = True) -> None:
        del transform_input
        if self.state != "ENABLED" or not self.event_pattern.get_pattern():
            return  # a schedule is not a pattern that matches everything
        if self.event_pattern.matches_event(event):
            bus.deliver(self, event)

    patches.put(models.Rule, "send_to_targets", lambda _: send_to_targets)
