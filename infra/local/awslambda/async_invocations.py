"""Asynchronous invocations: queued, retried, and sent to their destination in the end."""

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from infra.local.awslambda.executor import Executor
from infra.local.awslambda.function import ASYNC_LIMIT, Answer, PayloadTooLargeError
from infra.local.errors import FailedDelivery, LocalCloudError

DEFAULT_RETRIES = 2
RETRY_DELAY = 60.0  # seconds before the second attempt, as on AWS; the cloud's wait cap cuts it


class AsyncInvocations:
    """The queue between an event and its function."""

    def __init__(
        self, executor: Executor, clients: Callable[[str], Any], wait_cap: Callable[[], float]
    ) -> None:
        self._executor, self._aws, self._wait_cap = executor, clients, wait_cap
        self._threads = ThreadPoolExecutor(max_workers=16, thread_name_prefix="events")
        self._changed = threading.Condition()
        self._pending = 0
        self._failures: list[FailedDelivery] = []

    def put(self, backend: Any, name: str, qualifier: str | None, event: bytes) -> None:
        """Queue an event; an unknown function or too large an event is refused at once."""
        if len(event) > ASYNC_LIMIT:
            raise PayloadTooLargeError(
                f"{len(event)} byte payload is too large for the Event invocation type "
                f"(limit {ASYNC_LIMIT} bytes)"
            )
        self._executor.resolve(backend, name, qualifier)
        with self._changed:
            self._pending += 1
        self._threads.submit(self._run, backend, name, qualifier, event)

    def settle(self, timeout: float = 900) -> list[FailedDelivery]:
        """Wait until no event is queued or being worked on; give what failed since last asked."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._pending == 0, timeout):
                raise TimeoutError(f"{self._pending} asynchronous invocations are still running")
            failures, self._failures = self._failures, []
            return failures

    def close(self) -> None:
        """Forget what is queued."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _run(self, backend: Any, name: str, qualifier: str | None, event: bytes) -> None:
        try:
            self._attempts(backend, name, qualifier, event)
        except LocalCloudError as error:
            self._failed(name, type(error).__name__, str(error))
        finally:
            with self._changed:
                self._pending -= 1
                self._changed.notify_all()

    def _attempts(self, backend: Any, name: str, qualifier: str | None, event: bytes) -> None:
        settings = self._settings(backend, name)
        retries = int(settings.get("MaximumRetryAttempts", DEFAULT_RETRIES))
        for attempt in range(retries + 1):
            answer = self._executor.invoke(backend, name, qualifier, event)
            if answer.error is None:
                self._report(settings, "OnSuccess", name, event, answer, attempt + 1)
                return
            if attempt < retries:
                time.sleep(min(RETRY_DELAY * (attempt + 1), self._wait_cap()))
        problem = json.loads(answer.payload)
        self._failed(name, problem.get("errorType", "Unknown"), problem.get("errorMessage", ""))
        self._report(settings, "OnFailure", name, event, answer, retries + 1)

    def _failed(self, name: str, error: str, message: str) -> None:
        with self._changed:
            self._failures.append(FailedDelivery(name, error, message))

    def _settings(self, backend: Any, name: str) -> dict[str, Any]:
        configurations = backend.get_function(name.split(":function:")[-1].split(":")[0])
        listed = configurations.event_invoke_config
        return dict(listed[-1].config) if listed else {}

    def _report(
        self, settings: dict[str, Any], which: str, name: str, event: bytes, answer: Answer,
        attempts: int,
    ) -> None:  # fmt: skip
        arn = settings.get("DestinationConfig", {}).get(which, {}).get("Destination")
        if not arn:
            return
        record = json.dumps(_outcome_record(which, name, event, answer, attempts))
        if ":sns:" in arn:
            self._aws("sns").publish(TopicArn=arn, Message=record)
        elif ":sqs:" in arn:
            queue = self._aws("sqs").get_queue_url(QueueName=arn.rsplit(":", 1)[1])["QueueUrl"]
            self._aws("sqs").send_message(QueueUrl=queue, MessageBody=record)
        else:
            self._failed(name, "Destination", f"the local cloud cannot send outcomes to {arn}")


def _outcome_record(
    which: str, name: str, event: bytes, answer: Answer, attempts: int
) -> dict[str, Any]:
    return {
        "version": "1.0",
        "timestamp": datetime.now(UTC).isoformat(),
        "requestContext": {
            "requestId": answer.request_id, "functionArn": name,
            "condition": "Success" if which == "OnSuccess" else "RetriesExhausted",
            "approximateInvokeCount": attempts,
        },
        "requestPayload": json.loads(event),
        "responseContext": {
            "statusCode": 200, "executedVersion": answer.version,
            "functionError": answer.error,
        },
        "responsePayload": json.loads(answer.payload),
    }  # fmt: skip
