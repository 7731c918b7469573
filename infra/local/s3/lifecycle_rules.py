"""Lifecycle rules of buckets: as templates write them, and what they delete at an instant."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

Rule = dict[str, Any]


def to_api(configuration: dict[str, Any]) -> dict[str, Any]:
    """A template's LifecycleConfiguration in the shape of S3's API."""
    return {"Rules": [_rule(rule) for rule in configuration["Rules"]]}


def expire(s3: Any, bucket: str, at: datetime) -> list[str]:
    """Delete what a bucket's rules expire by `at`; returns the keys.

    Only `Expiration` in days is carried out: storage classes and earlier versions cost nothing
    here.
    """
    try:
        rules = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchLifecycleConfiguration":
            raise
        return []
    keys = {key for rule in rules for key in _expired(s3, bucket, rule, at)}
    for key in keys:
        s3.delete_object(Bucket=bucket, Key=key)
    return sorted(keys)


def _rule(rule: Rule) -> Rule:
    made = {"ID": rule.get("Id", ""), "Status": rule["Status"], "Filter": _filter(rule)}
    expiration = {
        "Days": rule.get("ExpirationInDays"),
        "ExpiredObjectDeleteMarker": rule.get("ExpiredObjectDeleteMarker"),
    }
    same = ("NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload")
    optional = {
        "Expiration": {name: value for name, value in expiration.items() if value is not None},
        "Transitions": [
            {"Days": one["TransitionInDays"], "StorageClass": one["StorageClass"]}
            for one in rule.get("Transitions", [])
        ],
        **{name: rule.get(name) for name in same},
    }
    return made | {name: value for name, value in optional.items() if value}


def _filter(rule: Rule) -> Rule:
    prefix, tags = rule.get("Prefix", ""), rule.get("TagFilters", [])
    return {"And": {"Prefix": prefix, "Tags": tags}} if tags else {"Prefix": prefix}


def _expired(s3: Any, bucket: str, rule: Rule, at: datetime) -> Iterator[str]:
    days = rule.get("Expiration", {}).get("Days")
    if rule["Status"] != "Enabled" or days is None:
        return
    given = rule.get("Filter", {})
    both = given.get("And", given)
    tags = [*both.get("Tags", []), *filter(None, [both.get("Tag")])]
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Prefix=both.get("Prefix", "")
    )
    for item in (item for page in pages for item in page.get("Contents", [])):
        if item["LastModified"] + timedelta(days=int(days)) > at:
            continue
        found = s3.get_object_tagging(Bucket=bucket, Key=item["Key"])["TagSet"] if tags else []
        if all(tag in found for tag in tags):
            yield item["Key"]
