"""The feature store's files in S3: immutable, named by manifests, made visible by one pointer.

A write puts its file below a prefix of its own run, then a manifest that names all files of the
table, then moves the pointer to that manifest if nobody moved it meanwhile. Readers read what the
pointer's manifest names, so they see a write whole or not at all.

What no manifest names any more is tagged, and a rule of the bucket deletes what has the tag. A
manifest is never named again, as each has its serial number, nor is a file that left one.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from noria.aws.feature_store.backfills import Backfills
from noria.aws.feature_store.manifest import Entry, Manifest, Share, agree
from noria.aws.s3 import MissingObjectError, Store, encode
from noria.common.backoff import Backoff
from noria.errors import ContentionError, FeatureError

ATTEMPTS = Backoff(attempts=8, first=0.02, longest=0.5)
MANIFESTS = "features-manifests"
SUPERSEDED = {"noria": "superseded"}  # the tag that the bucket's lifecycle rule looks for


class MissingFileError(FeatureError):
    """A file that a manifest names is gone; the manifest may be an earlier one by now."""


@dataclass(frozen=True)
class Moved:
    """A table's manifest after a change, and the keys that it left behind."""

    manifest: Manifest
    left: tuple[str, ...] = ()


class Files:
    """The files of the feature store's tables in one bucket."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.backfills = Backfills(store)

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
        key = f"{_folder(table, run)}{digest[:16]}/part-0.parquet"
        self._store.put(key, content)
        return key

    def publish(
        self,
        table: str,
        shares: Sequence[Share],
        *,
        retention: int | None = None,
    ) -> Moved:
        """Make what runs brought visible, together; says again what is said already.

        Another writer's file that became visible meanwhile is kept: these go behind it. `retention`
        is for how many microseconds before the latest run's logical time rows are kept.
        """

        def wider(manifest: Manifest) -> Manifest:
            new = [share for share in shares if not _is_known(share, manifest)]
            return manifest.with_shares(new).without_older(retention)

        return self.move(table, wider, f"run '{shares[0].run}'" if shares else "a clearing")

    def move(self, table: str, change: Callable[[Manifest], Manifest | None], who: str) -> Moved:
        """Move the pointer to what a change makes of the manifest; None or an equal one: no move.

        The change is made again where others moved the pointer meanwhile. `who` writes, in words.
        """
        written: list[str] = []
        moved = Moved(Manifest(table=table))

        def point(pointer: Any) -> Any:
            nonlocal moved
            manifest, key = self._named(table, pointer)
            wanted = change(manifest)
            if wanted is None or wanted == manifest:
                moved = Moved(manifest, tuple(written))
                return None
            wanted = wanted.model_copy(update={"serial": manifest.serial + 1})
            gone = {e.key for e in manifest.entries} - {e.key for e in wanted.entries}
            moved = Moved(wanted, (*written, *filter(None, [key]), *sorted(gone)))
            written.append(self._write(wanted))
            return {"manifest": written[-1]}

        try:
            self._store.update(_pointer(table), point, ATTEMPTS)
        except ContentionError as error:
            raise FeatureError(
                f"other writers moved table '{table}' {ATTEMPTS.attempts} times while {who} was "
                "writing; nothing was lost: start the run again when they are done"
            ) from error
        return moved

    def supersede(self, keys: Iterable[str]) -> int:
        """Let the bucket's rule delete objects that no manifest will name; returns how many."""
        found = list(keys)
        for key in found:
            self._store.tag(key, SUPERSEDED)
        return len(found)

    def orphans_of(self, table: str, runs: Iterable[str]) -> list[str]:
        """Files that failed deliveries of runs left; call it when the runs are visible."""
        named = {entry.key for entry in self.current(table).entries}
        found = (key for run in runs for key in self._store.keys(_folder(table, run)))
        return [key for key in found if key not in named]

    def orphans(self, table: str, before: datetime) -> list[str]:
        """Files and manifests from before a time (aware) that the current manifest does not name.

        Those that a backfill will still publish are none.
        """
        needed = self.backfills.runs()
        manifest, key = self._current(table)
        named = {entry.key for entry in manifest.entries} | {key, _pointer(table)}
        found = [*self._store.objects(f"{table}/"), *self._store.objects(f"{MANIFESTS}/{table}/")]
        old = (item.key for item in found if item.modified < before and item.key not in named)
        return [key for key in old if _run_of(key) not in needed]

    def fetch(self, entry: Entry) -> bytes:
        """A file's content, compared with its manifest.

        Raises `MissingFileError`, or another `FeatureError` where the content is another.
        """
        remedy = "restore the object's earlier version in S3 (the bucket keeps them for 90 days)"
        try:
            content = self._store.get(entry.key)
        except MissingObjectError as error:
            raise MissingFileError(
                f"the manifest names '{entry.key}' with {entry.rows} rows, which is "
                f"missing; {remedy}"
            ) from error
        if hashlib.sha256(content).hexdigest() != entry.sha256:
            raise FeatureError(f"'{entry.key}' is not what its manifest says; {remedy}")
        return content

    def _current(self, table: str) -> tuple[Manifest, str | None]:
        """The manifest and its key."""
        return self._named(table, self._store.get_json(_pointer(table), None))

    def _named(self, table: str, pointer: Mapping[str, str] | None) -> tuple[Manifest, str | None]:
        if pointer is None:
            return Manifest(table=table), None
        key = pointer["manifest"]
        try:
            return Manifest.model_validate_json(self._store.get(key)), key
        except (MissingObjectError, ValidationError) as error:
            raise FeatureError(
                f"'{_pointer(table)}' points to '{key}', which is missing or broken; restore the "
                "object's earlier version in S3 (the bucket keeps them for 90 days)"
            ) from error

    def _write(self, manifest: Manifest) -> str:
        content = encode(manifest.model_dump(mode="json"))
        digest = hashlib.sha256(content).hexdigest()[:20]
        key = f"{MANIFESTS}/{manifest.table}/{manifest.serial:06d}-{digest}.json"
        self._store.put(key, content, "application/json")
        return key


def _is_known(share: Share, manifest: Manifest) -> bool:
    known = manifest.share_of(share.run)
    if known is not None:
        agree(known, share.given)
    return known is not None


def _pointer(table: str) -> str:
    return f"{MANIFESTS}/{table}/current.json"


def _folder(table: str, run: str) -> str:
    return f"{table}/run={run}/"


def _run_of(key: str) -> str:
    """The run in a file's key; a manifest has none."""
    return key.partition("/run=")[2].partition("/")[0]
