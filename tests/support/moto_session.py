"""AWS in this process, by moto, in a fiftieth of a second."""

from contextlib import AbstractContextManager

from moto import mock_aws


def aws_in_process() -> AbstractContextManager[None]:
    """Answer boto3's calls from moto's memory, emptied at the start.

    A new boto3 session would read the descriptions of all services again, 0.15 s of each test.
    """
    return mock_aws(config={"core": {"reset_boto3_session": False}})
