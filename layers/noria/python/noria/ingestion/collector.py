"""Collecting one source: each part is parsed once, and all of them become one table.

``raw/<source>/state.json`` remembers every part's ETag and where its rows are; a part that is
still the same is neither fetched nor parsed again. One part is in memory at a time.
"""

import base64
import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet

from noria.aws.s3 import MissingObjectError, Store, encode
from noria.contracts import Source
from noria.core.ingestion import schema_unification
from noria.core.ingestion.hive_partitions import with_partitions
from noria.core.ingestion.readers import read_table
from noria.errors import DataError
from noria.ingestion.sources import Fetched, Origin

# Counted up when a file is read differently: what was parsed before is then parsed again.
READER_VERSION = 4


@dataclass(frozen=True)
class ParsedPart:
    """A part of a source that was parsed: where it came from, and where its rows are."""

    name: str
    where: str
    etag: str
    sha256: str
    bytes: int
    rows: int
    arrow: str  # its schema, serialised
    collected_at: str
    key: str
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """A part as a state document holds it."""
        return cls(**{**document, "notes": tuple(document["notes"])})

    @property
    def schema(self) -> pa.Schema:
        """The columns' names and types."""
        return pa.ipc.read_schema(pa.BufferReader(base64.b64decode(self.arrow)))

    def provenance(self) -> dict[str, Any]:
        """What people and later runs want to know of the part."""
        return {name: value for name, value in vars(self).items() if name != "arrow"} | {
            "schema": _named(self.schema)
        }


@dataclass(frozen=True)
class Collected:
    """What a source held at one time: its table as Parquet, and its parts."""

    table: bytes
    rows: int
    schema: dict[str, str]
    parts: tuple[ParsedPart, ...]
    fetched: int


class Collector:
    """The parts of one source, in this run and in those before it."""

    def __init__(self, store: Store, source: Source, collected_at: str) -> None:
        self._store, self._source, self._at = store, source, collected_at
        self._folder = f"raw/{source.name}/"
        self._state = f"{self._folder}state.json"

    def collect(self, origin: Origin) -> Collected:
        """Fetch what changed and put all rows together.

        Raises `SourceError` for a source that cannot be reached, `DataError` for one that does
        not hold a table. What is remembered changes only when all went well.
        """
        known = self._known()
        try:
            return self._collect(origin, known)
        except MissingObjectError:
            if not known:
                raise
            return self._collect(origin, {})  # somebody deleted rows that were parsed before

    def _collect(self, origin: Origin, known: Mapping[str, ParsedPart]) -> Collected:
        fetched, parts = 0, []
        by_digest = {part.key: part for part in known.values()}
        for item in origin.parts({name: part.etag for name, part in known.items()}):
            if item.content is None:
                parts.append(known[item.name])
            else:
                fetched += 1
                parts.append(self._parsed(item, item.content, by_digest))
        if not parts:
            raise DataError(_nothing(self._source))
        schema, rows, table = self._stacked(parts)
        self._remember(parts)
        return Collected(table, rows, _named(schema), tuple(parts), fetched)

    def _parsed(self, item: Fetched, content: bytes, known: Mapping[str, ParsedPart]) -> ParsedPart:
        """A part's rows in the bucket, under a key that its bytes, name and format make."""
        digest = hashlib.sha256(content).hexdigest()
        form = self._source.format if self._source.holds_files else None
        identity = hashlib.sha256(
            f"{digest} {item.name} {form} {READER_VERSION}".encode()
        ).hexdigest()
        key = f"{self._folder}parts/{identity[:32]}.parquet"
        if key in known:
            return replace(known[key], etag=item.etag, where=item.where)
        frame = read_table(content, item.name, form)
        notes = (*item.notes, *frame.attrs.pop("notes", ()))
        if self._source.kind == "s3":
            frame = with_partitions(frame, item.name)
        rows = _parquet(frame)
        self._store.put(key, rows)
        schema = parquet.read_schema(pa.BufferReader(rows)).remove_metadata()
        arrow = base64.b64encode(schema.serialize()).decode()
        return ParsedPart(item.name, item.where, item.etag, digest, len(content), len(frame), arrow,
                    self._at, key, notes)  # fmt: skip

    def _stacked(self, parts: list[ParsedPart]) -> tuple[pa.Schema, int, bytes]:
        """All parts' rows in one Parquet file, part by part; one part is taken as it is."""
        if len(parts) == 1:
            table = self._store.get(parts[0].key)
            return parts[0].schema, parts[0].rows, table
        schema = schema_unification.unified([(part.name, part.schema) for part in parts])
        sink = pa.BufferOutputStream()
        with parquet.ParquetWriter(sink, schema) as writer:
            for table in self._tables(parts):
                writer.write_table(schema_unification.conformed(table, schema))
        return schema, sum(part.rows for part in parts), sink.getvalue().to_pybytes()

    def _tables(self, parts: list[ParsedPart]) -> Iterator[pa.Table]:
        for part in parts:
            yield parquet.read_table(pa.BufferReader(self._store.get(part.key)))

    def _known(self) -> dict[str, ParsedPart]:
        state = self._store.get_json(self._state, {})
        if state.get("definition") != self._definition():
            return {}
        parts = [ParsedPart.of(document) for document in state["parts"]]
        return {part.name: part for part in parts}

    def _remember(self, parts: list[ParsedPart]) -> None:
        documents = [vars(part) for part in parts]
        self._store.put_json(self._state, {"definition": self._definition(), "parts": documents})

    def _definition(self) -> str:
        """Changes with what the contract says of where the data is and how it is read."""
        unrelated = {"primary", "join", *self._source.limits}
        document = self._source.model_dump(mode="json", exclude=unrelated)
        return hashlib.sha256(encode([document, READER_VERSION])).hexdigest()


def _nothing(source: Source) -> str:
    if source.kind == "s3":
        return (
            f"source '{source.name}' has no files; drop CSV, Parquet, JSON or Excel files below "
            f"incoming/{source.name}/ of the stack's bucket (noria data push)"
        )
    return f"source '{source.name}' gave no rows; check its table, query and filters"


def _named(schema: pa.Schema) -> dict[str, str]:
    return {field.name: str(field.type) for field in schema}


def _parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()
