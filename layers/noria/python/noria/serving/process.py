"""What an endpoint's process keeps: its model, its connections, and how it was deployed."""

import contextlib
import json
import os
import time
from functools import cache, lru_cache
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from noria.aws.clients import forget_clients, loading_objects, quick_client
from noria.aws.feature_store.dynamodb_online import OnlineTable, table_of
from noria.aws.s3 import Store
from noria.aws.version_pins import VersionPins
from noria.errors import NoriaError
from noria.lifecycle.environment import PREFIX, Environment, unpacked
from noria.serving.model_loader import UNPUBLISHED, ServedModel, load


@cache
def served() -> ServedModel:
    """The model of this process, loaded at first need; a failure to load is tried again.

    What is loaded is kept whatever becomes of the registry. While it cannot be read, a process
    without a model gives up soon: its callers are told to come again before the API stops waiting.
    """
    deployed = environment()
    store = Store(loading_objects(), deployed.bucket)
    name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "")
    pins = VersionPins(store, name, deployed.stack_id)
    return load(deployed.model, function_version(), store, pins)


def load_published() -> None:
    """Load the model of a published version while the process starts: no request waits for it.

    What fails now is told to the first request, which tries again. No client is left, for a
    SnapStart snapshot would keep the credentials of the moment when the version was published.
    """
    if function_version() not in ("", UNPUBLISHED):
        with contextlib.suppress(NoriaError, ClientError, BotoCoreError):
            served()
        forget_clients()


@cache
def online() -> OnlineTable:
    """The table of the latest values per entity, in stacks with time-window aggregations."""
    database = environment().database
    return OnlineTable(quick_client("dynamodb"), table_of(database), time.sleep)


def namespace() -> str:
    """The namespace of the stack's metrics."""
    return os.environ.get(f"{PREFIX}NAMESPACE", "")


def environment() -> Environment:
    """The function's variables."""
    return Environment.read()


def function_version() -> str:
    """The version of the endpoint's function, empty outside Lambda."""
    return os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", "")


def has_history() -> bool:
    """Whether the deployed contract still has history: a model may outlive what it learnt from."""
    return bool(_contract().get("features", {}).get("windows"))


def deployment() -> dict[str, Any]:
    """The contract's section `deployment` as it is written."""
    return dict(_contract().get("deployment", {}))


def _contract() -> dict[str, Any]:
    """The deployed contract as it is written: pydantic's model of it takes its time to load."""
    return _parsed(os.environ.get(f"{PREFIX}PROBLEM") or "{}")


@lru_cache(maxsize=1)
def _parsed(variable: str) -> dict[str, Any]:
    contract: dict[str, Any] = json.loads(unpacked(variable))
    return contract
