"""What the tests of the feature store need of a stack: its environment, catalogue and table."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest

from noria.aws import clients
from noria.aws.feature_store import Catalogue, Files
from noria.aws.storage import Store
from noria.feature_store import FeatureStore, open_feature_store


@contextmanager
def feature_stack(bucket: Store, monkeypatch: pytest.MonkeyPatch, database: str) -> Iterator[Store]:
    """The bucket, as handlers find it, with a Glue database and an online table beside it."""
    monkeypatch.setenv("NORIA_BUCKET", bucket.bucket)
    monkeypatch.setenv("NORIA_DATABASE", database)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    boto3.client("glue").create_database(DatabaseInput={"Name": database})
    make_online_table(boto3.client("dynamodb"), f"{database}_online")
    clients.client.cache_clear()
    yield bucket
    clients.client.cache_clear()


@contextmanager
def features_of(store: Store, database: str) -> Iterator[FeatureStore]:
    """The stack's feature store."""
    catalogue = Catalogue(boto3.client("glue"), database)
    with open_feature_store(Files(store), catalogue, threads=1) as opened:
        yield opened


def make_online_table(dynamodb: Any, name: str) -> None:
    """The table of latest values, as infra/store.py makes it."""
    dynamodb.create_table(
        TableName=name, BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "entity", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "entity", "AttributeType": "S"}],
    )  # fmt: skip
