"""The bucket of a problem's data, and how long it keeps what."""

from collections.abc import Iterator

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from constructs import Construct

from noria.common.batch_keys import WORK
from noria.contracts import Problem

SUPERSEDED = {"noria": "superseded"}  # as noria.aws.feature_store.offline_files sets it
PASSING = {"noria": "passing"}  # as noria.lifecycle.conclude sets it


def data_bucket(scope: Construct, problem: Problem) -> s3.Bucket:
    """A private, versioned bucket, which outlives the stack."""
    # S3's own keys, not KMS: a KMS key costs money while idle and every read a request to it.
    return s3.Bucket(
        scope,
        "Data",
        versioned=True,
        encryption=s3.BucketEncryption.S3_MANAGED,
        enforce_ssl=True,
        minimum_tls_version=1.2,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        removal_policy=cdk.RemovalPolicy.RETAIN,
        lifecycle_rules=list(_rules(problem)),
    )


def _rules(problem: Problem) -> Iterator[s3.LifecycleRule]:
    yield s3.LifecycleRule(
        id="forget-overwritten-versions",
        noncurrent_version_expiration=cdk.Duration.days(90),
        expired_object_delete_marker=True,
        abort_incomplete_multipart_upload_after=cdk.Duration.days(1),
    )
    yield from (_cool_down(prefix) for prefix in ("raw/", "quarantine/"))
    # S3 counts from an object's creation: what is old already goes within a day of its tag.
    yield s3.LifecycleRule(
        id="forget-superseded-features",
        prefix="features",
        tag_filters=SUPERSEDED,
        expiration=cdk.Duration.days(7),
    )
    yield s3.LifecycleRule(
        id="forget-passing-runs", tag_filters=PASSING, expiration=cdk.Duration.days(7)
    )
    yield s3.LifecycleRule(
        id="forget-backfills",  # an execution can be taken up again for 14 days
        prefix="features-backfills/",
        expiration=cdk.Duration.days(30),
    )
    yield s3.LifecycleRule(
        id="forget-batch-work",  # files and answers stay; what lies between can be made again
        prefix=WORK,
        expiration=cdk.Duration.days(14),
    )
    yield s3.LifecycleRule(
        id="forget-matched-labels",  # the monitor waits half as long for a label
        prefix="monitoring/_index/",
        expiration=cdk.Duration.days(2 * problem.monitoring.waiting.days + 1),
    )


def _cool_down(prefix: str) -> s3.LifecycleRule:
    """What a run has worked through is rarely read again."""
    return s3.LifecycleRule(
        id=f"cool-down-{prefix.rstrip('/')}",
        prefix=prefix,
        transitions=[
            s3.Transition(
                storage_class=s3.StorageClass.INFREQUENT_ACCESS,
                transition_after=cdk.Duration.days(90),
            )
        ],
    )
