"""The process that functions run in: a zygote that imports a layer set once and forks workers.

It is started as `python -I -S worker.py FD` and imports the standard library only: everything else
comes from the function's asset, its layers and the runtime directory, as on Lambda.
"""

import contextlib
import ctypes
import datetime
import decimal
import gc
import importlib
import json
import logging
import math
import os
import signal
import socket
import struct
import sys
import time
import traceback
import types
from collections.abc import Callable
from typing import Any

HEADER = struct.Struct(">II")
RESPONSE_LIMIT = 6_291_556  # bytes of a synchronous answer, as Lambda counts them
PR_SET_PDEATHSIG = 1


def send(sock: socket.socket, head: dict[str, Any], body: bytes = b"") -> None:
    """Write one frame: the lengths, a JSON head, raw bytes."""
    encoded = json.dumps(head).encode()
    sock.sendall(HEADER.pack(len(encoded), len(body)) + encoded + body)


def receive(sock: socket.socket) -> tuple[dict[str, Any], bytes] | None:
    """Read one frame, or None where the other side has gone."""
    lengths = _exactly(sock, HEADER.size)
    if lengths is None:
        return None
    head_size, body_size = HEADER.unpack(lengths)
    head, body = _exactly(sock, head_size), _exactly(sock, body_size)
    if head is None or body is None:
        return None
    return json.loads(head), body


def _exactly(sock: socket.socket, size: int) -> bytes | None:
    chunks = bytearray()
    while len(chunks) < size:
        try:
            chunk = sock.recv(min(size - len(chunks), 1 << 20))
        except ConnectionError:
            return None
        if not chunk:
            return None
        chunks += chunk
    return bytes(chunks)


# -- the zygote ---------------------------------------------------------------------------------


def zygote(control: socket.socket) -> None:
    """Import the preload modules, then fork a worker for each request until the parent goes."""
    first = receive(control)
    if first is None:
        return
    _set_path(first[0]["path"])
    started = time.perf_counter()
    failed = {name: error for name in first[0]["preload"] if (error := _preload(name))}
    if "boto3" in sys.modules:
        _share_service_models()
    gc.collect()
    gc.freeze()  # objects made so far never move or change generation: forks share their pages
    send(control, {"seconds": time.perf_counter() - started, "failed": failed})
    children: set[int] = set()
    while (frame := receive(control)) is not None:
        _serve_request(control, frame[0], children)
    for pid in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _serve_request(control: socket.socket, request: dict[str, Any], children: set[int]) -> None:
    if "reap" in request:
        pid = request["reap"]
        children.discard(pid)
        send(control, {"status": os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])})
        return
    _, descriptors, _, _ = socket.recv_fds(control, 1, 1)
    pid = os.fork()
    if pid == 0:
        control.close()
        _die_with_parent()
        status = 1
        try:
            worker(socket.socket(fileno=descriptors[0]), request["function"])
            status = 0
        except SystemExit as exit_request:
            status = exit_request.code if isinstance(exit_request.code, int) else 1
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    os.close(descriptors[0])
    children.add(pid)
    send(control, {"pid": pid})


def _set_path(path: dict[str, list[str]]) -> None:
    """Give the layers, the standard library, then the runtime: Lambda's own order."""
    sys.path[:] = [*path["layers"], *sys.path, *path["runtime"]]
    sys.dont_write_bytecode = True  # layers are shared and, on Lambda, read-only


def _preload(name: str) -> str | None:
    try:
        importlib.import_module(name)
    except ImportError as error:
        return repr(error)
    return None


def _share_service_models() -> None:
    """Read once what boto3 knows of S3, which each worker's first client would parse again."""
    import boto3
    from botocore.loaders import JSONFileLoader

    read, known = JSONFileLoader.load_file, {}

    def load_file(loader: Any, path: str) -> Any:
        if path not in known:
            known[path] = read(loader, path)
        return known[path]

    JSONFileLoader.load_file = load_file
    nobody = {"aws_access_key_id": "none", "aws_secret_access_key": "none"}
    boto3.session.Session(region_name="us-east-1", **nobody).client("s3")


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when a worker ends


# -- one worker ---------------------------------------------------------------------------------


def worker(parent: socket.socket, function: dict[str, Any]) -> None:
    """Initialise one execution environment and serve its invocations one after the other."""
    _redirect_output(function["log"])
    os.environ.clear()
    os.environ.update(function["environment"])
    os.chdir(function["task_root"])
    time.tzset()
    _set_threads(function["threads"])
    sys.path.insert(0, function["task_root"])
    importlib.invalidate_caches()
    log_handler = _set_up_logging()
    handler, failure = _load_handler(function["handler"])
    send(parent, {"ready": failure is None}, json.dumps(failure).encode() if failure else b"")
    if handler is None:
        return
    while (frame := receive(parent)) is not None:
        head, event = frame
        log_handler.request_id = head["request_id"]
        head, body = _invoke(handler, event, Context(head))
        sys.stdout.flush()
        sys.stderr.flush()
        send(parent, head, body)


def _redirect_output(path: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    sys.stdout = open(1, "w", buffering=1, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, encoding="utf-8", closefd=False)  # noqa: SIM115


def _set_threads(count: int) -> None:
    """Tell thread pools that the zygote has loaded already how many vCPUs this function has."""
    setters = {
        "openblas": ("openblas_set_num_threads", "scipy_openblas_set_num_threads",
                     "scipy_openblas_set_num_threads64_", "openblas_set_num_threads64_"),
        "gomp": ("omp_set_num_threads",),
    }  # fmt: skip
    for library in _loaded_libraries():
        for kind, names in setters.items():
            if kind in os.path.basename(library):  # noqa: PTH119
                _call_first(ctypes.CDLL(library), names, count)


def _loaded_libraries() -> set[str]:
    try:
        with open("/proc/self/maps", encoding="utf-8") as maps:  # noqa: PTH123
            return {line.split(maxsplit=5)[5].strip() for line in maps if ".so" in line}
    except FileNotFoundError:
        return set()


def _call_first(library: ctypes.CDLL, names: tuple[str, ...], count: int) -> None:
    for name in names:
        if hasattr(library, name):
            getattr(library, name)(count)
            return


STANDARD_FIELDS = {*logging.makeLogRecord({}).__dict__, "aws_request_id"} - {"taskName"}


class _JsonFormatter(logging.Formatter):
    """One JSON object a line, with the fields that were given as `extra`, as Lambda's runtime."""

    def format(self, record: logging.LogRecord) -> str:
        """Give standard fields, then those of an exception, then the extra ones; none is null."""
        kind, error, frames = record.exc_info or (None, None, None)
        fields = {
            "timestamp": _timestamp(record.created),
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
            "stackTrace": traceback.format_tb(frames) if kind else None,
            "errorType": kind.__name__ if kind else None,
            "errorMessage": str(error) if kind else None,
            "requestId": record.__dict__.get("aws_request_id"),
            "location": f"{record.pathname}:{record.funcName}:{record.lineno}" if kind else None,
        }
        extra = {k: v for k, v in record.__dict__.items() if k not in {*STANDARD_FIELDS, *fields}}
        present = {k: v for k, v in (fields | extra).items() if v is not None}
        return json.dumps(present, ensure_ascii=False)


def _timestamp(seconds: float) -> str:
    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _logs_json() -> bool:
    return os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON"


class _LambdaLogHandler(logging.StreamHandler):  # type: ignore[type-arg]
    """Formats records as the Python runtime of Lambda does."""

    request_id = ""

    def format(self, record: logging.LogRecord) -> str:
        """Add the request id, which the formatter prints."""
        record.aws_request_id = self.request_id
        return super().format(record)


def _set_up_logging() -> _LambdaLogHandler:
    handler = _LambdaLogHandler(sys.stdout)
    text = logging.Formatter(
        "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s",
        "%Y-%m-%dT%H:%M:%S",
    )
    handler.setFormatter(_JsonFormatter() if _logs_json() else text)
    root = logging.getLogger()
    root.addHandler(handler)
    if level := os.environ.get("AWS_LAMBDA_LOG_LEVEL"):
        root.setLevel("DEBUG" if level == "TRACE" else level)
    return handler


Handler = Callable[[Any, "Context"], Any]
Failure = dict[str, Any]


def _load_handler(name: str) -> tuple[Handler | None, Failure | None]:
    module_name, _, attribute = name.replace("/", ".").rpartition(".")
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        return None, _fault("Runtime.ImportModuleError",
                            f"Unable to import module '{module_name}': {error}")  # fmt: skip
    except SyntaxError as error:
        return None, _fault("Runtime.UserCodeSyntaxError",
                            f"Syntax error in module '{module_name}': {error}")  # fmt: skip
    except Exception as error:  # noqa: BLE001 - whatever a module raises is its init failure
        return None, describe(error)
    if not hasattr(module, attribute):
        return None, _fault("Runtime.HandlerNotFound",
                            f"Handler '{attribute}' missing on module '{module_name}'")  # fmt: skip
    return getattr(module, attribute), None


def _fault(kind: str, message: str) -> Failure:
    failure = {"errorMessage": message, "errorType": kind, "requestId": "", "stackTrace": []}
    _print_failure(failure)
    return failure


def _print_failure(failure: Failure) -> None:
    if _logs_json():
        head = {"timestamp": _timestamp(time.time())[:-5], "level": "ERROR"}
        print(json.dumps(head | failure, ensure_ascii=False), flush=True)
        return
    print(f"[ERROR] {failure['errorType']}: {failure['errorMessage']}")
    if failure["stackTrace"]:
        print("Traceback (most recent call last):", *failure["stackTrace"], sep="\n", flush=True)


def describe(error: BaseException, request_id: str = "") -> Failure:
    """Give an exception the shape in which Lambda reports it."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename != __file__ and "importlib" not in
           frame.filename]  # fmt: skip
    failure = {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "requestId": request_id,
        "stackTrace": traceback.format_list(own),
    }
    _print_failure(failure)
    return failure


class Context:
    """What Lambda hands to a handler beside the event."""

    def __init__(self, head: dict[str, Any]) -> None:
        self.aws_request_id: str = head["request_id"]
        self.invoked_function_arn: str = head["arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = types.SimpleNamespace(
            cognito_identity_id=None, cognito_identity_pool_id=None
        )
        self.client_context = head.get("client_context")
        self.tenant_id = None
        self._deadline = time.monotonic() + head["timeout"]

    def get_remaining_time_in_millis(self) -> int:
        """Say how long the handler may still run."""
        return max(0, int((self._deadline - time.monotonic()) * 1000))

    def log(self, message: str) -> None:
        """Write to the function's log."""
        print(message, end="")


def _invoke(handler: Handler, event: bytes, context: Context) -> tuple[dict[str, Any], bytes]:
    try:
        result = handler(json.loads(event), context)
    except Exception as error:  # noqa: BLE001 - a handler's failure is the function's answer
        return {"ok": False}, json.dumps(describe(error, context.aws_request_id)).encode()
    try:
        body = _encode(result)
    except (TypeError, ValueError) as error:
        failure = _fault("Runtime.MarshalError", f"Unable to marshal response: {error}")
        return {"ok": False}, json.dumps(failure).encode()
    if len(body) > RESPONSE_LIMIT:
        failure = _fault(
            "Function.ResponseSizeTooLarge",
            f"Response payload size exceeded maximum allowed payload size "
            f"({RESPONSE_LIMIT} bytes).",
        )
        return {"ok": False}, json.dumps(failure).encode()
    return {"ok": True}, body


def _encode(result: Any) -> bytes:
    try:
        text = json.dumps(result, allow_nan=False, default=_decimal, ensure_ascii=False)
    except ValueError:  # NaN and infinities: the runtime of Lambda writes null
        text = json.dumps(_without_nan(result), default=_decimal, ensure_ascii=False)
    return text.encode()


def _decimal(value: Any) -> Any:
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _without_nan(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return value


if __name__ == "__main__":
    zygote(socket.socket(fileno=int(sys.argv[1])))
