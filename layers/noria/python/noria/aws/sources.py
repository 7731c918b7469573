"""Data sources: a small class per kind, all giving the same: files with where they came from."""

from dataclasses import dataclass
from typing import Protocol

from noria.aws.storage import Store
from noria.aws.web import download
from noria.contracts import HttpSource, S3Source, Source
from noria.errors import SourceError


@dataclass(frozen=True)
class Fetched:
    """One file of a source."""

    name: str
    where: str
    etag: str
    content: bytes


class Reader(Protocol):
    """How a kind of source is read."""

    def __call__(self, source: Source, store: Store) -> list[Fetched]:
        """Fetch every file of the source."""


def fetch(source: Source, store: Store) -> list[Fetched]:
    """Fetch a source's files; raises `SourceError` when it cannot be reached."""
    reader = READERS.get(source.kind)
    if reader is None:
        raise SourceError(
            f"source '{source.name}': kind {source.kind} cannot be collected yet; export it to a "
            f"file and use kind s3 or http (kinds now: {', '.join(sorted(READERS))})"
        )
    return reader(source, store)


def _from_bucket(source: Source, store: Store) -> list[Fetched]:
    assert isinstance(source, S3Source)  # noqa: S101 - chosen by kind
    prefix = f"incoming/{source.name}/"
    files = []
    for item in store.objects(prefix):
        name = item.key.removeprefix(prefix)
        if name and not name.endswith("/"):
            files.append(Fetched(name, store.uri(item.key), item.etag, store.get(item.key)))
    return files


def _from_web(source: Source, store: Store) -> list[Fetched]:
    assert isinstance(source, HttpSource)  # noqa: S101 - chosen by kind
    content, etag = download(
        source.url, insecure=source.insecure, maximum_bytes=source.maximum_bytes
    )
    name = source.url.partition("?")[0].rpartition("/")[2] or source.name
    return [Fetched(name, source.url, etag, content)]


READERS: dict[str, Reader] = {"s3": _from_bucket, "http": _from_web}
