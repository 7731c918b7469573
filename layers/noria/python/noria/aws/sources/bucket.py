"""Files below ``incoming/<source>/`` of the stack's bucket; only new objects are fetched."""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from noria.aws.sources.base import Fetched
from noria.aws.storage import ListedObject, Store

MARKERS = ("_", ".")  # _SUCCESS, _metadata, .DS_Store: what tools leave beside data


class BucketFiles:
    """Every object below the source's prefix; folders may be partitions or not."""

    def __init__(self, store: Store, source: str) -> None:
        self._store = store
        self._prefix = f"incoming/{source}/"

    def parts(self, known: Mapping[str, str]) -> Iterator[Fetched]:
        """Give every object, with its bytes unless its ETag is known."""
        for item in self._store.objects(self._prefix):
            name = item.key.removeprefix(self._prefix)
            if name and not name.endswith("/") and not _is_marker(name):
                yield self._part(name, item, known)

    def _part(self, name: str, item: ListedObject, known: Mapping[str, str]) -> Fetched:
        where = self._store.uri(item.key)
        if known.get(name) == item.etag:
            return Fetched(name, where, item.etag, None)
        found = self._store.read(item.key)
        return Fetched(name, where, found.etag.strip('"'), found.content)


def _is_marker(name: str) -> bool:
    return PurePosixPath(name).name.startswith(MARKERS)
