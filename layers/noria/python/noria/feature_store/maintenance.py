"""Keeping a feature set's files: publishing them, merging small ones, leaving out old ones.

Every change of what readers see is one move of the table's pointer. What the catalogue says, and
the tags of what is no longer named, follow it: a call that fails there is made good by the next
write, or by the next compaction, which looks for what no manifest names.
"""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from noria.aws.feature_store import Catalogue, FileEntry, Files, Manifest, RunShare
from noria.aws.feature_store.manifest import merged_shares
from noria.core.feature_store.feature_set import FeatureSet, microseconds
from noria.feature_store.duckdb_engine import Engine

# Readers fetch files one after the other, and S3 takes 100 to 200 ms to a first byte (its design
# patterns): more than these, and a table refreshed hourly has them every day, would take seconds.
SMALL_FILES = 16
# As much as one request for a range should fetch (the same patterns: 8 or 16 MB).
SMALL = 8 * 2**20
# A merged file's bytes pass through memory: 57 MiB (800,000 rows of 8 doubles) took 271 MB more
# than an idle process, far less than half of the smallest function with the feature store has.
LARGEST = 64 * 2**20
# Older than any call that may still publish a file: a function ends within 15 minutes.
ORPHAN_AGE = timedelta(days=1)
TRIES = 8


@dataclass(frozen=True)
class Compacted:
    """What a compaction did: files before and after, and how many objects it gave up."""

    table: str
    files: tuple[int, int]
    superseded: int


class Maintenance:
    """The files of one stack's feature sets, as they change."""

    def __init__(
        self, files: Files, catalogue: Catalogue, engine: Engine, retention: timedelta | None
    ) -> None:
        self._files = files
        self._catalogue = catalogue
        self._engine = engine
        self._retention = retention

    def oldest(self, as_of: datetime | None) -> datetime | None:
        """The event time from which on rows are kept at a logical time; None where all are."""
        return as_of - self._retention if as_of and self._retention is not None else None

    def publish(self, feature_set: FeatureSet, shares: Sequence[RunShare]) -> None:
        """Make what runs brought visible together: to the store's readers, then to Athena's."""
        table = feature_set.table
        moved = self._files.publish(table, shares, retention=self._kept())
        manifest = self._show(table)
        self._describe(table, manifest)
        orphans = self._files.orphans_of(table, [share.run for share in shares])
        self._files.supersede([*moved.left, *orphans])
        if sum(entry.bytes < SMALL for entry in manifest.entries) > SMALL_FILES:
            self.compact(feature_set)

    def compact(self, feature_set: FeatureSet) -> Compacted:
        """Merge neighbouring small files, leave out what is too old, and look for what is left.

        Of sets whose rows may repeat the files stay: each is a run's whole table by itself.
        """
        table = feature_set.table
        before = self._files.current(table)
        moved = self._files.publish(table, (), retention=self._kept())
        groups = moved.manifest.groups(small=SMALL, largest=LARGEST)
        left = [*moved.left]
        for group in () if feature_set.repeats else groups:
            left += self._merge(feature_set, group)
        manifest = self._show(table)
        left += self._files.orphans(table, datetime.now(UTC) - ORPHAN_AGE)
        files = len(before.entries), len(manifest.entries)
        return Compacted(table, files, self._files.supersede(dict.fromkeys(left)))

    def _merge(self, feature_set: FeatureSet, group: Sequence[FileEntry]) -> Sequence[str]:
        """Put one file in the place of several; returns the keys that are needed no longer."""
        unknown = {n for e in group for n in e.columns} - {c.name for c in feature_set.columns}
        if unknown:  # a column that somebody added since this definition was read
            return ()
        content, described = self._engine.merge(feature_set, group)
        # A name of its own: what one attempt leaves behind, no other may publish.
        run = f"merged-{secrets.token_hex(8)}"
        key = self._files.put(feature_set.table, run, content)
        shares, forgotten = merged_shares(group)
        times = [entry.as_of for entry in group if entry.as_of is not None]
        merged = FileEntry(
            run=run, key=key, given="", as_of=max(times, default=None), merged=shares,
            forgotten=forgotten, **described,
        )  # fmt: skip
        moved = self._files.move(
            feature_set.table, lambda manifest: manifest.with_merged(group, merged), "a compaction"
        )
        lost = all(entry.key != key for entry in moved.manifest.entries)
        return (*moved.left, key) if lost else moved.left

    def _show(self, table: str) -> Manifest:
        """Tell the catalogue which files there are, until nobody changed them meanwhile."""
        for _ in range(TRIES):
            manifest = self._files.current(table)
            there = {entry.run: self._files.folder(entry) for entry in manifest.entries}
            self._catalogue.match_partitions(table, there)
            if self._files.current(table).serial == manifest.serial:
                break
        return manifest

    def _describe(self, table: str, manifest: Manifest) -> None:
        latest = manifest.latest  # another run's, where this delivery is repeated late
        if latest is not None:
            statistics = {"run": latest.run, "rows": latest.rows, "columns": latest.statistics}
            self._catalogue.set_statistics(table, json.dumps(statistics))

    def _kept(self) -> int | None:
        return None if self._retention is None else microseconds(self._retention)
