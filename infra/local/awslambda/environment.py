"""The environment variables of a function: those that Lambda sets, and those that it refuses."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infra.local.awslambda.function import Function

ENVIRONMENT_LIMIT = 4096  # bytes of a function's environment variables
RESERVED_VARIABLES = {
    "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV", "AWS_REGION",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT", "_HANDLER", "_X_AMZN_TRACE_ID",
}  # fmt: skip


def check_variables(spec: Any) -> None:
    """Refuse environments that Lambda refuses: beyond 4 KiB, or with its own names."""
    from moto.awslambda.exceptions import InvalidParameterValueException

    variables = (spec.get("Environment") or {}).get("Variables") or {}
    size = sum(len(f"{key}{value}".encode()) for key, value in variables.items())
    if size > ENVIRONMENT_LIMIT:
        raise InvalidParameterValueException(
            "Lambda was unable to configure your environment variables because the environment "
            f"variables you have provided exceeded the 4KB limit ({size} bytes)."
        )
    if taken := RESERVED_VARIABLES & variables.keys():
        raise InvalidParameterValueException(
            "Lambda was unable to configure your environment variables because the environment "
            "variables you have provided contains reserved keys that are currently not "
            f"supported for modification. Reserved keys used in this request: {sorted(taken)}"
        )


def variables(
    function: Function, credentials: dict[str, str], stream: str, *,
    scratch: Path, endpoint_url: str, region: str,
) -> dict[str, str]:  # fmt: skip
    """Give a worker's whole environment: Lambda's variables, its credentials, the function's."""
    return {
        **_lambda_variables(function, stream, endpoint_url, region),
        **_log_variables(dict(function.logging)),
        **_process_variables(function, scratch),
        **credentials,
        **dict(function.variables),
    }


def _lambda_variables(
    function: Function, stream: str, endpoint_url: str, region: str
) -> dict[str, str]:
    return {
        "AWS_DEFAULT_REGION": region,
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mib),
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": function.version,
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        "AWS_REGION": region,
        "LAMBDA_TASK_ROOT": str(function.task_root),
        "_HANDLER": function.handler,
    }


def _log_variables(logging: Mapping[str, str]) -> dict[str, str]:
    """The variables by which Lambda tells its runtime how to log."""
    names = {"AWS_LAMBDA_LOG_FORMAT": "LogFormat", "AWS_LAMBDA_LOG_LEVEL": "ApplicationLogLevel"}
    return {name: logging[key] for name, key in names.items() if key in logging}


def _process_variables(function: Function, scratch: Path) -> dict[str, str]:
    return {
        "HOME": "/tmp",  # noqa: S108 - what Lambda sets
        "LANG": "en_US.UTF-8",
        "OMP_NUM_THREADS": str(function.threads),
        "OPENBLAS_NUM_THREADS": str(function.threads),
        "PATH": os.defpath,
        "TMPDIR": str(scratch),
        "TZ": "UTC",
    }
