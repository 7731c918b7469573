"""What every test shares: unit tests open no socket, and nothing here reads real credentials."""

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

UNIT = Path(__file__).parent / "unit"

# Before any client is made: a test never reaches an account.
os.environ |= {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_SESSION_TOKEN": "testing",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
os.environ.pop("AWS_PROFILE", None)


def pytest_collection_modifyitems(items: Iterable[pytest.Item]) -> None:
    """Turn sockets off where tests are pure."""
    for item in items:
        if UNIT in item.path.parents:
            item.add_marker(pytest.mark.disable_socket)
