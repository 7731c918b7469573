"""One log line for each invocation of a stage, written as it ends.

Lambda's runtime writes records of Python's `logging` as JSON, one object a line, with the fields
given as `extra`; where a function fails it logs the traceback itself.
"""

import functools
import logging
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any, TypeVar

Answer = TypeVar("Answer")
Event = dict[str, Any]
Fields = dict[str, Any]

CHATTY = ("botocore", "mangum")  # at INFO they log each client, and each request

_noted: ContextVar[Fields | None] = ContextVar("noted", default=None)


def logged(handler: Callable[[Event, Any], Answer]) -> Callable[[Event, Any], Answer]:
    """Make a handler log its run, state, decision, rows and seconds, or the class of its error."""
    logger = logging.getLogger(handler.__module__)
    quiet_libraries()

    @functools.wraps(handler)
    def invoke(event: Event, context: Any) -> Answer:
        started = time.monotonic()
        fields = _identity(event, handler.__module__)
        token = _noted.set(fields)
        try:
            answer = handler(event, context)
        except Exception as error:
            failed = fields | {"error": type(error).__name__, "seconds": _since(started)}
            logger.error("%s failed", fields["state"], extra=failed)
            raise
        finally:
            _noted.reset(token)
        logger.info("%s ended", fields["state"], extra=fields | {"seconds": _since(started)})
        return answer

    return invoke


def quiet_libraries() -> None:
    """Keep what libraries log of their everyday work out of a function's log."""
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)


def note(**fields: str | int) -> None:
    """Add fields to the line of the invocation that is going on: numbers and names, no inputs."""
    noted = _noted.get()
    if noted is not None:
        noted.update(fields)


def _identity(event: Event, module: str) -> Fields:
    """Name the invocation; events that do not come from the machine carry no state."""
    given, detail = _mapping(event, "input"), _mapping(event, "detail")
    item = event.get("item")
    fields = {
        "run": event.get("execution") or detail.get("name"),
        "state": event.get("state") or module.rpartition(".")[2],
        "iteration": _mapping(given, "features").get("iteration"),
        "item": item if isinstance(item, str) else None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _mapping(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = document.get(name)
    return found if isinstance(found, Mapping) else {}


def _since(started: float) -> float:
    return round(time.monotonic() - started, 3)
