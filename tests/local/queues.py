"""What waits in a queue of the sample stack."""

from typing import Any

from infra.local import LocalCloud


def messages(cloud: LocalCloud, url: str) -> list[dict[str, Any]]:
    """Take every message out of a queue."""
    found = []
    while True:
        batch = cloud.client("sqs").receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        )
        if "Messages" not in batch:
            return found
        for message in batch["Messages"]:
            found.append(message)
            cloud.client("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
