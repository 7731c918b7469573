"""Amazon SNS: one topic that tells people what the machine did or needs."""

from typing import Any


class Topic:
    """The stack's topic."""

    def __init__(self, client: Any, arn: str) -> None:
        self._client = client
        self._arn = arn

    def publish(self, subject: str, message: str) -> None:
        """Send a message; SNS takes subjects of at most 100 ASCII characters."""
        plain = subject.encode("ascii", "replace").decode().replace("\n", " ")
        self._client.publish(TopicArn=self._arn, Subject=plain[:100], Message=message)
