"""A function that may not write what it should: IAM refuses, as of a role that lacks a grant."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def writes_denied(iam: Any, role_arn: str, objects: str) -> Iterator[None]:
    """Deny a role `s3:PutObject` of these objects: their bucket, and a key that may have *."""
    role = role_arn.rpartition("/")[2]
    place = f"arn:aws:s3:::{objects}"
    deny = {"Effect": "Deny", "Action": "s3:PutObject", "Resource": place}
    document = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    iam.put_role_policy(RoleName=role, PolicyName="deny", PolicyDocument=document)
    try:
        yield
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="deny")
