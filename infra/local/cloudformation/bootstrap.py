"""What a stack needs before it is created: the bootstrap's version, and its assets in a bucket."""

from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from infra.local.cloudformation.assembly import Assembly

BOOTSTRAP_VERSION = "/cdk-bootstrap/hnb659fds/version"


def bootstrap(ssm: Any) -> None:
    """Make what `cdk bootstrap` makes, as far as templates ask for it."""
    ssm.put_parameter(Name=BOOTSTRAP_VERSION, Value="21", Type="String", Overwrite=True)


def upload(assembly: Assembly, s3: Any, directories: MutableMapping[tuple[str, str], Path]) -> None:
    """Put the assets into their buckets, and note the directory of each zipped one."""
    buckets = {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
    for asset in assembly.assets():
        if asset.bucket not in buckets:
            where = {"LocationConstraint": s3.meta.region_name}
            s3.create_bucket(Bucket=asset.bucket, CreateBucketConfiguration=where)
            buckets.add(asset.bucket)
        s3.put_object(Bucket=asset.bucket, Key=asset.key, Body=asset.content())
        if asset.packaging == "zip":
            directories[asset.bucket, asset.key] = asset.source.resolve()
