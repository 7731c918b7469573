"""Where moto's Firehose answers differently from AWS."""

import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from infra.local.patching import Patches

#: What delivers the messages of CloudWatch Logs, and nothing of their envelopes.
MESSAGES_ONLY = ["Decompression", "CloudWatchLogProcessing"]


def patch(patches: Patches, now: Callable[[], datetime]) -> None:
    """Write objects under the prefix that AWS would make at the local clock's time."""
    from moto.firehose import models

    # moto appends /YYYY/MM/DD/HH even to a prefix that says itself where the time goes.
    def path(stream: str, version: str, prefix: str) -> str:
        return f"{object_prefix(prefix, now())}{_object_name(stream, version)}"

    patches.put(models.FirehoseBackend, "_format_s3_object_path", lambda _: staticmethod(path))
    patches.put(models.FirehoseBackend, "send_log_event", _extract_messages)


def _extract_messages(original: Any) -> Any:
    """Deliver the lines of log events alone where a stream is set up so: moto ignores that."""

    def send(
        self: Any, delivery_stream_arn: str, filter_name: str, log_group_name: str,
        log_stream_name: str, log_events: list[dict[str, Any]],
    ) -> None:  # fmt: skip
        stream = self.lookup_name_from_arn(delivery_stream_arn)
        [destination] = stream.destinations
        if not takes_messages(destination.get("ExtendedS3", {})):
            original(
                self, delivery_stream_arn, filter_name, log_group_name, log_stream_name, log_events
            )
            return
        records = [{"Data": event["message"].encode() + b"\n"} for event in log_events]
        self.put_s3_records(
            stream.delivery_stream_name, stream.version_id, destination["S3"], records
        )

    return send


def takes_messages(destination: dict[str, Any]) -> bool:
    """Whether an S3 destination is set up to get the messages of CloudWatch Logs alone."""
    processing = destination.get("ProcessingConfiguration", {})
    kinds = [processor["Type"] for processor in processing.get("Processors", [])]
    return bool(processing.get("Enabled")) and kinds == MESSAGES_ONLY


def _object_name(stream: str, version: str) -> str:
    return f"{stream}-{version}-{datetime.now(UTC):%Y-%m-%d-%H-%M-%S}-{uuid.uuid4()}"


_JAVA_DATE = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}


def object_prefix(prefix: str, at: datetime) -> str:
    """Resolve `!{timestamp:...}` as Firehose does; without any, it appends YYYY/MM/dd/HH/."""
    if "!{timestamp:" not in prefix:
        return f"{prefix}{at:%Y/%m/%d/%H}/"

    def resolve(match: re.Match[str]) -> str:
        # 'quoted' parts are literal, letters are Java date fields
        parts = re.split(r"'([^']*)'", match.group(1))
        return "".join(
            part if index % 2 else re.sub(
                "|".join(_JAVA_DATE), lambda m: at.strftime(_JAVA_DATE[m.group()]), part
            )
            for index, part in enumerate(parts)
        )  # fmt: skip

    return re.sub(r"!\{timestamp:([^}]*)\}", resolve, prefix)
