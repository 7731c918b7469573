"""Sources: parts with where they came from, whatever the kind; what is known is not fetched."""

from typing import Any

import boto3
import pytest

from noria.aws.s3 import Store
from noria.contracts import HttpSource, S3Source, Source
from noria.errors import DataError, SourceError
from noria.ingestion.http import download
from noria.ingestion.sources import Fetched, open_origin
from noria.ingestion.sources import s3 as bucket_module
from noria.ingestion.sources.secrets import read_secret
from tests.support.moto_session import aws_in_process

FLIGHTS = S3Source(kind="s3", name="flights", primary=True)
FILES = {
    "incoming/flights/b.csv": b"b", "incoming/flights/2013/01/a.parquet": b"a",
    "incoming/flights/": b"", "incoming/flights/folder/": b"", "incoming/flights/_SUCCESS": b"",
    "incoming/flights/2013/.DS_Store": b"x", "incoming/flights/_temporary/0/t.csv": b"t",
    "incoming/flights/.ipynb_checkpoints/b.csv": b"t", "incoming/flights2/no.csv": b"",
    "incoming/planes/no.csv": b"", "raw/flights/no": b"",
}  # fmt: skip


def no_secret(name: str) -> dict[str, Any]:
    raise AssertionError(name)


def parts(source: Source, store: Store, known: dict[str, str] | None = None) -> list[Fetched]:
    return list(open_origin(source, store, no_secret).parts(known or {}))


def test_every_file_below_the_prefix_is_fetched_in_order(bucket: Store) -> None:
    for key, content in FILES.items():
        bucket.put(key, content)
    files = parts(FLIGHTS, bucket)
    assert [(file.name, file.content) for file in files] == [
        ("2013/01/a.parquet", b"a"), ("b.csv", b"b"),
    ]  # fmt: skip
    assert files[1].where == f"s3://{bucket.bucket}/incoming/flights/b.csv"
    assert files[1].etag == bucket.read("incoming/flights/b.csv").etag.strip('"')


def test_only_new_and_changed_files_are_fetched(bucket: Store) -> None:
    for key, content in FILES.items():
        bucket.put(key, content)
    known = {file.name: file.etag for file in parts(FLIGHTS, bucket)}
    bucket.put("incoming/flights/b.csv", b"changed")
    bucket.put("incoming/flights/c.csv", b"new")
    found = {file.name: file.content for file in parts(FLIGHTS, bucket, known)}
    assert found == {"2013/01/a.parquet": None, "b.csv": b"changed", "c.csv": b"new"}


def test_a_folder_that_is_a_partition_is_not_hidden(bucket: Store) -> None:
    bucket.put("incoming/flights/_year=2013/a.csv", b"a")
    assert [part.name for part in parts(FLIGHTS, bucket)] == ["_year=2013/a.csv"]


def test_a_file_that_goes_while_it_is_read_is_left_out(s3: Any, bucket: Store) -> None:
    for name in ("a", "b", "c"):
        bucket.put(f"incoming/flights/{name}.csv", b"x")
    s3.after = lambda call: bucket.delete("incoming/flights/b.csv") if call == "get_object" else 0
    assert [part.name for part in parts(FLIGHTS, bucket)] == ["a.csv", "c.csv"]


def test_a_file_that_may_not_be_read_is_named(s3: Any, bucket: Store) -> None:
    bucket.put("incoming/flights/a.csv", b"x")
    s3._client.put_object(Bucket=bucket.bucket, Key="incoming/flights/b.csv", Body=b"x",
                          StorageClass="GLACIER")  # fmt: skip
    with pytest.raises(SourceError, match=r"flights/b.csv' cannot be read \(InvalidObjectState\)"):
        parts(FLIGHTS, bucket)


def test_a_file_that_is_too_large_is_not_fetched(
    bucket: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.put("incoming/flights/a.csv", b"x" * 11)
    monkeypatch.setattr(bucket_module, "LARGEST", 10)
    with pytest.raises(DataError, match=r"a.csv has 11 bytes, more than .* split it"):
        parts(FLIGHTS, bucket)


def test_a_source_without_files_is_empty(bucket: Store) -> None:
    assert parts(FLIGHTS, bucket) == []


def test_a_hostile_address_is_a_source_error(bucket: Store) -> None:
    source = HttpSource(
        kind="http", name="airlines", url="http://127.0.0.1:9/airlines.csv", insecure=True
    )
    with pytest.raises(SourceError, match="not a public address"):
        parts(source, bucket)


@pytest.mark.parametrize(
    ("path", "name"),
    [("/d/air%20lines.csv?v=1#x", "air lines.csv"), ("/", "airlines"), ("", "airlines"),
     ("/d/year=1%2Fa.csv", "a.csv")],
)  # fmt: skip
def test_a_web_file_is_named_by_its_address(
    bucket: Store, monkeypatch: pytest.MonkeyPatch, path: str, name: str
) -> None:
    asked: dict[str, Any] = {}

    def fetch(url: str, **options: Any) -> download.Download | None:
        asked.update(options)
        return download.Download(b"x", '"e"') if options["known"] == "" else None

    monkeypatch.setattr(download, "fetch", fetch)
    url = f"https://example.org{path}"
    source = HttpSource(kind="http", name="airlines", url=url, maximum_bytes=5, maximum_seconds=6)
    assert parts(source, bucket) == [Fetched(name, url, '"e"', b"x")]
    assert parts(source, bucket, {name: '"e"'}) == [Fetched(name, url, '"e"', None)]
    assert asked == {"insecure": False, "maximum_bytes": 5, "maximum_seconds": 6, "known": '"e"'}


@pytest.mark.parametrize(
    ("content", "told"),
    [(None, "secret 'db' cannot be read (ResourceNotFoundException)"),
     ("no json", "is not a JSON object"), ("[1]", "is not a JSON object")],
)  # fmt: skip
def test_a_secret_that_cannot_be_used_says_so_without_its_content(
    content: str | None, told: str
) -> None:
    with aws_in_process():
        client = boto3.client("secretsmanager", region_name="eu-west-1")
        if content is not None:
            client.create_secret(Name="db", SecretString=content)
        with pytest.raises(SourceError) as caught:
            read_secret(client, "db")
    assert told in str(caught.value)
    assert content is None or content not in str(caught.value)
