"""JSON lines in gzip: the same documents give the same bytes."""

import gzip
import io
import json
from collections.abc import Iterable, Iterator
from typing import Any


def write_lines(documents: Iterable[Any]) -> bytes:
    """Write a document per line; numbers that are not finite are written as Python reads them."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1, mtime=0) as stream:
        for document in documents:
            stream.write(json.dumps(document, separators=(",", ":")).encode() + b"\n")
    return packed.getvalue()


def read_lines(content: bytes) -> Iterator[Any]:
    """Read the documents one after another; only one is in memory."""
    with gzip.GzipFile(fileobj=io.BytesIO(content)) as stream:
        yield from map(json.loads, stream)
