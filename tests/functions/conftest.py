"""Fixtures of the tests here: a stack's bucket in process."""

from tests.support.stack_bucket import bucket, s3, store

__all__ = ["bucket", "s3", "store"]
