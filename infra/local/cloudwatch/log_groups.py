"""Log groups of CloudWatch Logs, their subscriptions and the metrics embedded in their lines."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from infra.local.patching import Patches

#: The one kind of pattern that is played, beside none: a JSON event that has a field.
HAS_FIELD = re.compile(r"\{\s*\$\.(\w+)\s*=\s*\*\s*\}")

Publish = Callable[[str, str, Mapping[str, str], float], None]


class LogGroups:
    """Writes into the log groups of the account."""

    def __init__(self, account: str, region: str, publish: Publish) -> None:
        """Set up; `publish` takes an embedded metric: namespace, name, dimensions, value."""
        self._account, self._region, self._publish = account, region, publish

    def write(self, group: str, stream: str, lines: list[str]) -> None:
        """Append lines to a stream, which is made where it does not exist."""
        from moto.logs.models import logs_backends

        backend = logs_backends[self._account][self._region]
        backend.ensure_log_group(group)
        if stream not in backend.groups[group].streams:
            backend.create_log_stream(group, stream)
        now = int(datetime.now(UTC).timestamp() * 1000)
        events = [{"timestamp": now, "message": line} for line in lines if line]
        backend.put_log_events(group, stream, events)
        for line in lines:
            for metric in embedded_metrics(line):
                self._publish(*metric)


def embedded_metrics(line: str) -> Iterator[tuple[str, str, dict[str, str], float]]:
    """Read the metrics of a line in CloudWatch's embedded metric format; none of other lines."""
    if not line.startswith("{") or '"_aws"' not in line:
        return
    document = json.loads(line)
    for directive in document["_aws"]["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            dimensions = {name: document[name] for name in names}
            for metric in directive["Metrics"]:
                given = document[metric["Name"]]
                for value in given if isinstance(given, list) else [given]:
                    yield directive["Namespace"], metric["Name"], dimensions, float(value)


def patch(patches: Patches) -> None:
    """Send a subscription what its pattern matches: moto sends it everything."""
    from moto.logs import models

    def of_pattern(original: Any) -> Any:
        def send(
            self: Any, service: str, destination_arn: str, filter_name: str,
            log_events: list[dict[str, Any]],
        ) -> None:  # fmt: skip
            pattern = self.log_group.subscription_filters[filter_name].filter_pattern
            matching = [event for event in log_events if matches(pattern, event["message"])]
            if matching:
                original(self, service, destination_arn, filter_name, matching)

        return send

    patches.put(models.LogStream, "_send_log_events", of_pattern)


def matches(pattern: str, message: str) -> bool:
    """Whether a message matches a filter pattern: an empty one, or `{ $.field = * }`."""
    wanted = HAS_FIELD.fullmatch(pattern)
    if wanted is None:
        return True
    if not message.startswith("{") or f'"{wanted[1]}"' not in message:
        return False
    try:
        return wanted[1] in json.loads(message)
    except ValueError:
        return False
