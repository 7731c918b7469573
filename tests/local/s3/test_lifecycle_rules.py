"""Lifecycle rules delete what they name, by prefix, tag and age, and nothing else."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.local import LocalCloud
from infra.local.s3.lifecycle_rules import expire, to_api

RULES = {
    "Rules": [
        {"Id": "tagged", "Status": "Enabled", "Prefix": "features", "ExpirationInDays": 7,
         "TagFilters": [{"Key": "noria", "Value": "superseded"}]},
        {"Id": "old", "Status": "Enabled", "Prefix": "plans/", "ExpirationInDays": 30},
        {"Id": "off", "Status": "Disabled", "Prefix": "", "ExpirationInDays": 1},
        {"Id": "versions", "Status": "Enabled", "ExpiredObjectDeleteMarker": True,
         "NoncurrentVersionExpiration": {"NoncurrentDays": 90},
         "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}},
        {"Id": "cool", "Status": "Enabled", "Prefix": "raw/",
         "Transitions": [{"StorageClass": "STANDARD_IA", "TransitionInDays": 90}]},
    ]
}  # fmt: skip


OBJECTS = {
    "features/a": "noria=superseded", "features/b": "noria=other", "features/c": "",
    "plans/x": "", "raw/y": "noria=superseded",
}  # fmt: skip
TWO = ["features/a", "plans/x"]


@pytest.fixture
def s3(cloud: LocalCloud) -> Any:
    client = cloud.client("s3")
    place = {"LocationConstraint": cloud.region}
    client.create_bucket(Bucket="expiring", CreateBucketConfiguration=place)
    client.put_bucket_lifecycle_configuration(
        Bucket="expiring", LifecycleConfiguration=to_api(RULES)
    )
    for key, tag in OBJECTS.items():
        client.put_object(Bucket="expiring", Key=key, Body=b"1", Tagging=tag)
    yield client
    for item in client.list_objects_v2(Bucket="expiring").get("Contents", []):
        client.delete_object(Bucket="expiring", Key=item["Key"])
    client.delete_bucket(Bucket="expiring")


@pytest.mark.parametrize(("days", "gone"), [(6, []), (8, TWO[:1]), (31, TWO), (400, TWO)])
def test_what_is_old_enough_and_has_the_tag(s3: Any, days: int, gone: list[str]) -> None:
    assert expire(s3, "expiring", datetime.now(UTC) + timedelta(days=days)) == gone
    left = {item["Key"] for item in s3.list_objects_v2(Bucket="expiring")["Contents"]}
    assert left == OBJECTS.keys() - set(gone)


def test_a_bucket_without_rules_keeps_all(s3: Any) -> None:
    s3.delete_bucket_lifecycle(Bucket="expiring")
    assert expire(s3, "expiring", datetime(2100, 1, 1, tzinfo=UTC)) == []
