"""boto3 clients, made on first use and kept for the life of the process, or until forgotten."""

from functools import cache
from typing import Any

import boto3
from botocore.config import Config

WRITERS = 16  # threads that may write at once, each with a connection of its own
_CONFIG = Config(
    retries={"mode": "adaptive", "max_attempts": 5}, connect_timeout=5, max_pool_connections=WRITERS
)
# Somebody waits for the answer: a service that does not answer soon is not waited for.
_QUICK = Config(retries={"mode": "standard", "max_attempts": 3}, connect_timeout=1, read_timeout=2)
# Lambda ends an initialisation after 10 seconds: what cannot be loaded soon is tried by a request.
_LOADING = Config(
    retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=1, read_timeout=2
)


@cache
def client(service: str) -> Any:
    """The process's client of a service; credentials and region come from the runtime."""
    return boto3.client(service, config=_CONFIG)


@cache
def quick_client(service: str) -> Any:
    """The process's client of a service for calls within a request."""
    return boto3.client(service, config=_QUICK)


@cache
def loading_client(service: str) -> Any:
    """The process's client of a service for what it loads while it starts."""
    return boto3.client(service, config=_LOADING)


def forget_clients() -> None:
    """Drop all clients, with their connections and credentials; later ones are made anew."""
    client.cache_clear()
    quick_client.cache_clear()
    loading_client.cache_clear()
    boto3.DEFAULT_SESSION = None
