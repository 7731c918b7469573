"""What every test shares: unit tests open no socket, and nothing here reads real credentials."""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.examples import register_profiles
from tests.support.workers import SharedFixtures, order

pytest_plugins = ["tests.support.stack_bucket"]
PURE = [Path(__file__).parent / "noria" / room for room in ("core", "common", "contracts")]

# Before any client is made: a test never reaches an account.
os.environ |= {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_SESSION_TOKEN": "testing",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "ORT_DISABLE_TELEMETRY": "1",  # before ONNX Runtime comes, which sends usage data
}
os.environ.pop("AWS_PROFILE", None)
if "PYTEST_XDIST_WORKER" in os.environ:
    # Before numpy comes: workers share the cores, threads of each would only be in the way.
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
register_profiles()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> SharedFixtures:
    """Keep together what shares slow fixtures."""
    return SharedFixtures(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest, and turn sockets off where tests are pure."""
    order(items)
    for item in items:
        if any(room in item.path.parents for room in PURE):
            item.add_marker(pytest.mark.disable_socket)
