"""The feature store's files in S3: immutable, named by manifests, made visible by one pointer.

A write puts its file below a prefix of its own run, then a manifest that names all files of the
table, then moves the pointer to that manifest if nobody moved it meanwhile. Readers read what the
pointer's manifest names, so they see a write whole or not at all.
"""

import hashlib
import json
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from noria.aws.storage import MissingObjectError, Store, encode
from noria.errors import FeatureError

TRIES = 8
MANIFESTS = "features-manifests"


class Entry(BaseModel):
    """One file: what it holds, and the spans of its times in microseconds since 1970, UTC.

    `given` is a digest of the rows that its run was given, of which the file holds the new ones.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    run: str
    key: str
    rows: int
    bytes: int
    sha256: str
    given: str
    columns: tuple[str, ...]
    event_time: tuple[int, int]
    created_time: tuple[int, int]
    statistics: dict[str, dict[str, Any]] = {}


class Manifest(BaseModel):
    """All files of a table, in the order in which they became visible."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    table: str
    entries: tuple[Entry, ...] = ()

    def of_run(self, run: str) -> Entry | None:
        """The file that a run wrote."""
        return next((entry for entry in self.entries if entry.run == run), None)

    def with_entry(self, entry: Entry) -> Self:
        """This manifest and one more file."""
        return self.model_copy(update={"entries": (*self.entries, entry)})

    @property
    def rows(self) -> int:
        """Rows of all files."""
        return sum(entry.rows for entry in self.entries)


class Files:
    """The files of the feature store's tables in one bucket."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def location(self, table: str) -> str:
        """Where a table's files are, as the catalogue says it."""
        return self._store.uri(f"{table}/")

    def folder(self, entry: Entry) -> str:
        """Where a file and nothing else is, as the catalogue says it."""
        return self._store.uri(entry.key.rpartition("/")[0] + "/")

    def current(self, table: str) -> Manifest:
        """What readers see now; empty before the first write.

        Raises `FeatureError` where the pointer leads nowhere.
        """
        return self._current(table)[0]

    def put(self, table: str, run: str, content: bytes) -> str:
        """Write a run's file to a place that follows from its content; returns the key."""
        digest = hashlib.sha256(content).hexdigest()
        key = f"{table}/run={run}/{digest[:16]}/part-0.parquet"
        self._store.put(key, content)
        return key

    def publish(self, table: str, entry: Entry) -> Manifest:
        """Make a file visible beside all others; says again what is said already.

        Another writer's file that became visible meanwhile is kept: this one goes behind it.
        """
        for _ in range(TRIES):
            manifest, etag = self._current(table)
            known = manifest.of_run(entry.run)
            if known:
                agree(known, entry.given)
                return manifest
            wider = manifest.with_entry(entry)
            if self._point(table, self._write(wider), etag):
                return wider
        raise FeatureError(
            f"other writers moved table '{table}' {TRIES} times while run '{entry.run}' was "
            "writing; nothing was lost: start the run again when they are done"
        )

    def fetch(self, entry: Entry) -> bytes:
        """A file's content, compared with its manifest; raises `FeatureError`."""
        remedy = "restore the object's earlier version in S3 (the bucket keeps them for 90 days)"
        try:
            content = self._store.get(entry.key)
        except MissingObjectError as error:
            raise FeatureError(
                f"the manifest names '{entry.key}' with {entry.rows} rows, which is "
                f"missing; {remedy}"
            ) from error
        if hashlib.sha256(content).hexdigest() != entry.sha256:
            raise FeatureError(f"'{entry.key}' is not what its manifest says; {remedy}")
        return content

    def _current(self, table: str) -> tuple[Manifest, str | None]:
        try:
            pointer = self._store.read(_pointer(table))
        except MissingObjectError:
            return Manifest(table=table), None
        key = json.loads(pointer.content)["manifest"]
        try:
            found = Manifest.model_validate_json(self._store.get(key))
        except (MissingObjectError, ValidationError) as error:
            raise FeatureError(
                f"'{_pointer(table)}' points to '{key}', which is missing or broken; restore the "
                "object's earlier version in S3 (the bucket keeps them for 90 days)"
            ) from error
        return found, pointer.etag

    def _write(self, manifest: Manifest) -> str:
        content = encode(manifest.model_dump(mode="json"))
        digest = hashlib.sha256(content).hexdigest()[:20]
        key = f"{MANIFESTS}/{manifest.table}/{len(manifest.entries):06d}-{digest}.json"
        self._store.put(key, content, "application/json")
        return key

    def _point(self, table: str, manifest_key: str, etag: str | None) -> bool:
        content = encode({"manifest": manifest_key})
        if etag is None:
            return self._store.put_if_absent(_pointer(table), content)
        return self._store.replace(_pointer(table), content, etag)


def agree(known: Entry, given: str) -> None:
    """Raise `FeatureError` where a run that wrote before was given other rows this time."""
    if known.given != given:
        raise FeatureError(
            f"run '{known.run}' has written other rows to '{known.key}' before; a run writes once: "
            "start a new one"
        )


def _pointer(table: str) -> str:
    return f"{MANIFESTS}/{table}/current.json"
