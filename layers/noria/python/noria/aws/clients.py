"""boto3 clients, made on first use and kept for the life of the process, or until forgotten.

boto3 is imported with the first client: it takes half of a fresh endpoint's time.
"""

import sys
from functools import cache
from typing import Any

from noria.aws.s3_reader import ObjectReader

WRITERS = 16  # threads that may write at once, each with a connection of its own


@cache
def client(service: str) -> Any:
    """The process's client of a service; credentials and region come from the runtime."""
    retries = {"mode": "adaptive", "max_attempts": 5}
    return _client(service, retries=retries, connect_timeout=5, max_pool_connections=WRITERS)


@cache
def quick_client(service: str) -> Any:
    """The process's client of a service for calls within a request.

    Somebody waits for the answer: a service that does not answer soon is not waited for.
    """
    retries = {"mode": "standard", "max_attempts": 3}
    return _client(service, retries=retries, connect_timeout=1, read_timeout=2)


@cache
def loading_client(service: str) -> Any:
    """The process's client of a service for what it loads while it starts.

    Lambda ends an initialisation after 10 seconds: a request tries what cannot be loaded soon.
    """
    retries = {"mode": "standard", "total_max_attempts": 2}
    return _client(service, retries=retries, connect_timeout=1, read_timeout=2)


def loading_objects() -> ObjectReader:
    """S3 for what a process loads while it starts, without boto3 where that is possible."""
    return ObjectReader(lambda: loading_client("s3"))


def forget_clients() -> None:
    """Drop all clients, with their connections and credentials; later ones are made anew."""
    for made in (client, quick_client, loading_client):
        made.cache_clear()
    boto3: Any = sys.modules.get("boto3")
    if boto3 is not None:
        boto3.DEFAULT_SESSION = None


def _client(service: str, **options: Any) -> Any:
    import boto3
    from botocore.config import Config

    return boto3.client(service, config=Config(**options))
