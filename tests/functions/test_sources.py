"""Sources: files with where they came from, whatever the kind."""

from typing import Any

import pytest

from noria.aws.sources import Fetched, fetch
from noria.aws.storage import Store
from noria.contracts import DatabaseSource, GoogleSheetSource, HttpSource, S3Source
from noria.errors import SourceError

FLIGHTS = S3Source(kind="s3", name="flights", primary=True)


def test_every_file_below_the_prefix_is_fetched_in_order(bucket: Store) -> None:
    for key, content in {
        "incoming/flights/b.csv": b"b", "incoming/flights/2013/01/a.parquet": b"a",
        "incoming/flights/": b"", "incoming/flights/folder/": b"",
        "incoming/flights2/no.csv": b"", "incoming/planes/no.csv": b"", "raw/flights/no": b"",
    }.items():  # fmt: skip
        bucket.put(key, content)
    files = fetch(FLIGHTS, bucket)
    assert [(file.name, file.content) for file in files] == [
        ("2013/01/a.parquet", b"a"), ("b.csv", b"b"),
    ]  # fmt: skip
    assert files[1].where == f"s3://{bucket.bucket}/incoming/flights/b.csv"
    assert files[1].etag == bucket.read("incoming/flights/b.csv").etag.strip('"')


def test_a_source_without_files_is_empty(bucket: Store) -> None:
    assert fetch(FLIGHTS, bucket) == []


def test_a_hostile_address_is_a_source_error(bucket: Store) -> None:
    source = HttpSource(
        kind="http", name="airlines", url="http://127.0.0.1:9/airlines.csv", insecure=True
    )
    with pytest.raises(SourceError, match="not a public address"):
        fetch(source, bucket)


@pytest.mark.parametrize(
    "source",
    [
        GoogleSheetSource(kind="google_sheet", name="sheet", sheet="1234567890"),
        DatabaseSource(kind="database", name="db", engine="mysql", secret="s", table="t"),
    ],
)
def test_a_kind_that_is_not_collected_yet_says_what_to_do(bucket: Store, source: Any) -> None:
    with pytest.raises(SourceError) as caught:
        fetch(source, bucket)
    assert f"source '{source.name}': kind {source.kind} cannot be collected yet" in str(
        caught.value
    )
    assert "use kind s3 or http" in str(caught.value)


def test_what_was_fetched_does_not_change() -> None:
    file = Fetched("a.csv", "s3://b/a.csv", "e", b"a")
    with pytest.raises(AttributeError):
        file.content = b"other"  # type: ignore[misc]
