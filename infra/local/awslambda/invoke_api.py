"""Lambda's Invoke: synchronous, queued or dry, for callers of the API and for Task states."""

import base64
import json
import uuid
from typing import Any

from infra.local.awslambda.async_invocations import AsyncInvocations
from infra.local.awslambda.executor import Executor
from infra.local.awslambda.function import (
    InvalidEventError,
    PayloadTooLargeError,
    ThrottledError,
)

_LAMBDA_ERRORS: dict[type[Exception], tuple[str, int]] = {
    ThrottledError: ("TooManyRequestsException", 429),
    PayloadTooLargeError: ("RequestTooLargeException", 413),
    InvalidEventError: ("InvalidRequestContentException", 400),
}
FUNCTION_ERROR = "X-Amz-Function-Error"


class InvokeApi:
    """Answers Invoke calls in the API's own shape."""

    def __init__(self, executor: Executor, queue: AsyncInvocations) -> None:
        self._executor, self._queue = executor, queue

    def invoke(
        self, backend: Any, name: str, qualifier: str | None, body: Any, headers: Any,
        response_headers: Any,
    ) -> bytes:  # fmt: skip
        """Invoke a function as the headers ask for, and fill in the headers of the answer."""
        from moto.awslambda.exceptions import LambdaClientError

        event = body if isinstance(body, bytes) else (body or "").encode()
        try:
            return self._dispatch(backend, name, qualifier, event, headers, response_headers)
        except tuple(_LAMBDA_ERRORS) as error:
            code, status = _LAMBDA_ERRORS[type(error)]
            refused = LambdaClientError(code, str(error))
            refused.code = status
            raise refused from error

    def _dispatch(
        self, backend: Any, name: str, qualifier: str | None, event: bytes, headers: Any,
        response_headers: Any,
    ) -> bytes:  # fmt: skip
        kind = headers.get("X-Amz-Invocation-Type", "RequestResponse")
        if kind == "DryRun":
            self._executor.resolve(backend, name, qualifier)
            return b""
        if kind == "Event":
            self._queue.put(backend, name, qualifier, event)
            return b""
        context = headers.get("X-Amz-Client-Context")
        answer = self._executor.invoke(
            backend, name, qualifier, event, json.loads(base64.b64decode(context or b"bnVsbA=="))
        )
        response_headers["X-Amz-Executed-Version"] = answer.version
        response_headers["x-amz-log-result"] = answer.log_tail.decode()
        if answer.error:
            response_headers[FUNCTION_ERROR] = answer.error
        return answer.payload

    def invoke_for_task(self, backend: Any, parameters: dict[str, Any]) -> dict[str, Any]:
        """Invoke a function for a Task state; Lambda's refusals come as botocore raises them."""
        from moto.core.exceptions import JsonRESTError

        headers = {"X-Amz-Invocation-Type": parameters.get("InvocationType", "RequestResponse")}
        answered: dict[str, str] = {}
        try:
            payload = self.invoke(
                backend, parameters["FunctionName"], parameters.get("Qualifier"),
                parameters.get("Payload") or b"{}", headers, answered,
            )  # fmt: skip
        except JsonRESTError as error:
            raise _client_error(error) from error
        return {
            "StatusCode": 200,
            "ExecutedVersion": answered.get("X-Amz-Executed-Version", "$LATEST"),
            "Payload": json.loads(payload) if payload else {},
            **({"FunctionError": answered[FUNCTION_ERROR]} if FUNCTION_ERROR in answered else {}),
        }


def _client_error(error: Any) -> Exception:
    from botocore.exceptions import ClientError

    refused: Exception = ClientError(
        {
            "Error": {"Code": error.error_type, "Message": error.message},
            "ResponseMetadata": {"HTTPStatusCode": error.code, "RequestId": str(uuid.uuid4())},
        },
        "Invoke",
    )
    return refused
