"""Requests of the log, or of the holdout, answered once more by this very version: a rehearsal.

They go the way of any request, but are neither logged as predictions nor counted as traffic.
"""

import json
import time
from collections.abc import Callable
from typing import Any

from noria.common.replay_event import ANSWERS, REPLAY, ROWS
from noria.serving.gateway_events import ApiReply, ApiRequest
from noria.serving.prediction import predict

RESERVE = 9_000  # milliseconds of a function's time that are left for the row that is slow


def replay(event: dict[str, Any], left: Callable[[], int]) -> dict[str, Any]:
    """Answer the event's rows one by one; `left` says how many milliseconds the function has.

    Returns for each row `status`, `milliseconds`, and the `prediction` with its probability as
    `score`, or why there is none as `detail`. They are fewer than the rows where time runs out.
    """
    answers: list[dict[str, Any]] = []
    for row in event[REPLAY][ROWS]:
        if answers and left() < RESERVE:
            break
        body = json.dumps({"rows": [row]}).encode()
        started = time.perf_counter()
        reply = predict(ApiRequest("POST", "/predict", body=body), _nowhere)
        answers.append(
            {"milliseconds": (time.perf_counter() - started) * 1000, "status": reply.status}
            | _told(reply)
        )
    return {ANSWERS: answers}


def _told(reply: ApiReply) -> dict[str, Any]:
    document = json.loads(reply.body)
    if reply.status != 200:
        return {"detail": str(document.get("detail", ""))[:500]}
    [answer] = document["predictions"]
    return {"prediction": answer["prediction"], "score": answer.get("probability")}


def _nowhere(lines: str) -> None:
    """Write no line of the log: nobody asked."""
