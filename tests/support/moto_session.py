"""AWS in this process, by moto, in a fiftieth of a second."""

import functools
from contextlib import AbstractContextManager
from typing import Any

from botocore import useragent
from moto import mock_aws
from moto.core.base_backend import BaseBackend

_urls = BaseBackend.urls.fget


def _urls_once(backend: Any) -> dict[str, Any]:
    """A backend's addresses, which moto puts together again for every call: a third of its time."""
    if "_urls_once" not in vars(backend):
        backend._urls_once = _urls(backend)
    found: dict[str, Any] = backend._urls_once
    return found


BaseBackend.urls = property(_urls_once)
# A client says who it is by the same forty words in every call, which are checked sign by sign.
useragent.sanitize_user_agent_string_component = functools.cache(
    useragent.sanitize_user_agent_string_component
)


def aws_in_process() -> AbstractContextManager[None]:
    """Answer boto3's calls from moto's memory, emptied at the start.

    A new boto3 session would read the descriptions of all services again, 0.15 s of each test.
    """
    return mock_aws(config={"core": {"reset_boto3_session": False}})
