"""Log groups of CloudWatch Logs."""

from datetime import UTC, datetime


class LogGroups:
    """Writes into the log groups of the account."""

    def __init__(self, account: str, region: str) -> None:
        self._account, self._region = account, region

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
