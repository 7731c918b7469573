"""What all kinds of sources share: a source gives parts, and skips those that are known."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Fetched:
    """One part of a source: a file, a sheet, or a chunk of a query's rows.

    `etag` changes with the part; `content` is None where it still is what the caller knows.
    """

    name: str
    where: str
    etag: str
    content: bytes | None
    notes: tuple[str, ...] = field(default=())


class Origin(Protocol):
    """A kind of source."""

    def parts(self, known: Mapping[str, str]) -> Iterator[Fetched]:
        """Give every part in order, one at a time; `known` maps names to known ETags.

        Raises `SourceError` where the source cannot be reached or refuses.
        """
