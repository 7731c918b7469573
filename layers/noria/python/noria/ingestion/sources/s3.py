"""Files below ``incoming/<source>/`` of the stack's bucket; only new objects are fetched."""

from collections.abc import Iterator, Mapping

from botocore.exceptions import ClientError

from noria.aws.s3 import ListedObject, MissingObjectError, Store
from noria.contracts import S3Source
from noria.core.ingestion.archives import is_clutter
from noria.errors import DataError, SourceError
from noria.ingestion.sources.base import Fetched, Origin
from noria.ingestion.sources.secrets import Secrets

LARGEST = 4 * 1024**3  # bytes; a Lambda has 10 GB


def open_origin(source: S3Source, store: Store, secrets: Secrets) -> Origin:
    """The files that people dropped in."""
    return BucketFiles(store, source.name)


class BucketFiles:
    """Every object below the source's prefix; folders may be partitions or not."""

    def __init__(self, store: Store, source: str) -> None:
        self._store = store
        self._prefix = f"incoming/{source}/"

    def parts(self, known: Mapping[str, str]) -> Iterator[Fetched]:
        """Give every object, with its bytes unless its ETag is known.

        Raises `SourceError` where one may not be read, `DataError` for one that is too large.
        """
        for item in self._store.objects(self._prefix):
            name = item.key.removeprefix(self._prefix)
            if name and not name.endswith("/") and not is_clutter(name):
                part = self._part(name, item, known)
                if part is not None:
                    yield part

    def _part(self, name: str, item: ListedObject, known: Mapping[str, str]) -> Fetched | None:
        where = self._store.uri(item.key)
        if known.get(name) == item.etag:
            return Fetched(name, where, item.etag, None)
        if item.size > LARGEST:
            raise DataError(
                f"{name} has {item.size} bytes, more than {LARGEST // 1024**3} GiB: split it"
            )
        try:
            found = self._store.read(item.key)
        except MissingObjectError:
            return None  # taken away since the listing
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            raise SourceError(
                f"'{where}' cannot be read ({code}): check that it is in no archive class and "
                "encrypted with a key of the stack, or upload it again"
            ) from error
        return Fetched(name, where, found.etag.strip('"'), found.content)
