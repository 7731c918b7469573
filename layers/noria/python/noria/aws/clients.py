"""boto3 clients, made on first use and kept for the life of the process."""

from functools import cache
from typing import Any

import boto3
from botocore.config import Config

_CONFIG = Config(retries={"mode": "adaptive", "max_attempts": 5}, connect_timeout=5)


@cache
def client(service: str) -> Any:
    """The process's client of a service; credentials and region come from the runtime."""
    return boto3.client(service, config=_CONFIG)
