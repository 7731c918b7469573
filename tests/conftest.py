"""What every test shares: unit tests open no socket, and nothing here reads real credentials."""

import os
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import settings

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
}
os.environ.pop("AWS_PROFILE", None)


# New examples are for those who develop; whether a change lands must not hang on luck.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")


def pytest_collection_modifyitems(items: Iterable[pytest.Item]) -> None:
    """Turn sockets off where tests are pure."""
    for item in items:
        if any(room in item.path.parents for room in PURE):
            item.add_marker(pytest.mark.disable_socket)
