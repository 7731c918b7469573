"""A file at a public address."""

from collections.abc import Iterator, Mapping
from urllib.parse import unquote, urlsplit

from noria.aws.s3 import Store
from noria.contracts import HttpSource
from noria.ingestion.http import download
from noria.ingestion.sources.base import Fetched, Origin
from noria.ingestion.sources.secrets import Secrets


def open_origin(source: HttpSource, store: Store, secrets: Secrets) -> Origin:
    """The file at the source's address."""
    return WebFile(source)


class WebFile:
    """One file, asked for on the condition that it changed."""

    def __init__(self, source: HttpSource) -> None:
        self._source = source

    def parts(self, known: Mapping[str, str]) -> Iterator[Fetched]:
        """Give the file, without its bytes where the server says that it is the known one."""
        source, validator = self._source, known.get(self._name, "")
        found = download.fetch(
            source.url,
            insecure=source.insecure,
            maximum_bytes=source.maximum_bytes,
            maximum_seconds=source.maximum_seconds,
            known=validator,
        )
        if found is None:
            yield Fetched(self._name, source.url, validator, None)
        else:
            yield Fetched(self._name, source.url, found.validator, found.content)

    @property
    def _name(self) -> str:
        path = unquote(urlsplit(self._source.url).path)
        return path.rpartition("/")[2] or self._source.name
