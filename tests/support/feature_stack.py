"""What the tests of the feature store need of a stack: its environment, catalogue and table."""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import boto3
import pandas as pd
import pytest

from functions import engineer_features
from noria.aws import clients
from noria.aws.feature_store import Catalogue, Files
from noria.aws.s3 import Store
from noria.contracts import Problem
from noria.core.cleansing.cleanse import cleanse
from noria.core.cleansing.dataset_builder import to_dataset
from noria.core.cleansing.joins import join_sources
from noria.core.windows.run_windows import with_windows
from noria.feature_store.store import FeatureStore, open_feature_store


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


class Cleansed(NamedTuple):
    """What Transform writes: the accepted rows (Parquet) and the dataset."""

    rows: bytes
    dataset: bytes


def cleansed(tables: Mapping[str, pd.DataFrame], problem: Problem) -> Cleansed:
    """Sources' rows, as Transform leaves them."""
    cleansing = cleanse(join_sources(tables, problem), problem)
    plain = to_dataset(cleansing.accepted, problem, cleansing.columns, cleansing.spellings)
    dataset = with_windows(plain, cleansing.accepted, problem)
    return Cleansed(cleansing.accepted.to_parquet(index=False), dataset.to_bytes())


def deliver(
    store: Store,
    name: str,
    rows: Cleansed,
    problem: Problem,
    as_of: str,
    state: str = "EngineerFeatures",
    carried: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Hand cleansed rows to EngineerFeatures; returns its answer.

    `carried` is what earlier states put beside the execution's input.
    """
    store.put_json(f"runs/{name}/problem.json", problem.to_document())
    store.put(f"clean/run={name}/rows.parquet", rows.rows)
    store.put(f"clean/run={name}/dataset.npz", rows.dataset)
    event = {
        "state": state, "execution": name, "started_at": "2014-01-01T00:00:00Z",
        "input": {"as_of": as_of, **(carried or {})},
    }  # fmt: skip
    return engineer_features.handler(event, None)


def accepted_rows(store: Store, name: str) -> pd.DataFrame:
    """A run's accepted rows, in the order of its dataset."""
    return pd.read_parquet(io.BytesIO(store.get(f"clean/run={name}/rows.parquet")))


def make_online_table(dynamodb: Any, name: str) -> None:
    """The table of latest values, as infra/constructs/storage.py makes it."""
    dynamodb.create_table(
        TableName=name, BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "entity", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "entity", "AttributeType": "S"}],
    )  # fmt: skip
