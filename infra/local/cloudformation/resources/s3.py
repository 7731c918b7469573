"""Buckets and their policies."""

import json
from typing import Any

from infra.local.cloudformation.resources.resource_type import Clients, Made, Properties, resource
from infra.local.s3.lifecycle_rules import to_api


def _set_up_bucket(aws: Clients, made: Made, p: Properties) -> None:
    s3 = aws("s3")
    if "VersioningConfiguration" in p:
        s3.put_bucket_versioning(
            Bucket=made.ref, VersioningConfiguration=p["VersioningConfiguration"]
        )
    if "LifecycleConfiguration" in p:
        rules = to_api(p["LifecycleConfiguration"])
        s3.put_bucket_lifecycle_configuration(Bucket=made.ref, LifecycleConfiguration=rules)
    if "Tags" in p:
        s3.put_bucket_tagging(Bucket=made.ref, Tagging={"TagSet": p["Tags"]})


@resource(
    "AWS::S3::Bucket", name="BucketName",
    update=lambda aws, made, _, p: _set_up_bucket(aws, made, p),
    delete=lambda aws, made, _: _empty_and_delete(aws("s3"), made.ref),
)  # fmt: skip
def bucket(aws: Clients, name: str, p: Properties) -> Made:
    """Create a bucket with its versioning and rules, which moto's own type leaves out."""
    s3 = aws("s3")
    region = s3.meta.region_name
    where = {} if region == "us-east-1" else {
        "CreateBucketConfiguration": {"LocationConstraint": region}
    }  # fmt: skip
    s3.create_bucket(Bucket=name, **where)
    made = Made(
        name,
        {
            "Arn": f"arn:aws:s3:::{name}",
            "DomainName": f"{name}.s3.amazonaws.com",
            "RegionalDomainName": f"{name}.s3.{region}.amazonaws.com",
        },
    )
    _set_up_bucket(aws, made, p)
    return made


def _empty_and_delete(s3: Any, name: str) -> None:
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
        listed = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        for item in listed:
            s3.delete_object(Bucket=name, Key=item["Key"], VersionId=item["VersionId"])
    s3.delete_bucket(Bucket=name)


@resource("AWS::S3::BucketPolicy")
def bucket_policy(aws: Clients, name: str, p: Properties) -> Made:
    """Put a bucket's policy, without the statements that refuse plain HTTP.

    moto serves plain HTTP and answers 403 to every call under such a policy. That the template
    has it is asserted by the template tests.
    """
    policy = p["PolicyDocument"]
    kept = [statement for statement in policy["Statement"] if not _about_tls(statement)]
    if kept:
        aws("s3").put_bucket_policy(
            Bucket=p["Bucket"], Policy=json.dumps({**policy, "Statement": kept})
        )
    return Made(name)


def _about_tls(statement: Properties) -> bool:
    condition = json.dumps(statement.get("Condition"))
    return "aws:SecureTransport" in condition or "s3:TlsVersion" in condition
