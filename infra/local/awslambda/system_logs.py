"""What Lambda itself logs around an invocation, in the format that a function asks for."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from infra.local.awslambda.function import Function
from infra.local.awslambda.worker_process import Outcome


def system_lines(
    function: Function, request_id: str, duration: float, outcome: Outcome
) -> tuple[list[str], list[str]]:
    """What Lambda itself logs before and after an invocation of so many milliseconds."""
    logging = dict(function.logging)
    if logging.get("LogFormat") != "JSON":
        report = (
            f"REPORT RequestId: {request_id}\tDuration: {duration:.2f} ms\t"
            f"Memory Size: {function.memory_mib} MB\tMax Memory Used: {outcome.memory_mib} MB"
        )
        start = f"START RequestId: {request_id} Version: {function.version}"
        return [start], [f"END RequestId: {request_id}", report]
    if logging.get("SystemLogLevel") == "WARN":
        return [], []
    metrics = {
        "durationMs": round(duration, 2),
        "memorySizeMB": function.memory_mib,
        "maxMemoryUsedMB": outcome.memory_mib,
    }
    status = "failure" if outcome.error else "success"
    begun = {"requestId": request_id, "version": function.version}
    done = {"requestId": request_id, "metrics": metrics, "status": status}
    return [_system_line("platform.start", begun)], [_system_line("platform.report", done)]


def _system_line(kind: str, record: Mapping[str, Any]) -> str:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps({"time": now, "type": kind, "record": record})
