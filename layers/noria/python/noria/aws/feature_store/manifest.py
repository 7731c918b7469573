"""What a table of the feature store holds: its files, and the runs whose rows are in them."""

from collections.abc import Iterator, Sequence
from typing import Any, Self

from pydantic import BaseModel, ConfigDict

from noria.errors import FeatureError

# Runs that a file's, and a table's, manifest remembers beyond those with a file of their own: a
# refresh every hour fills it in six weeks, and a run is delivered again within hours. One that is
# forgotten brings nothing new, as its rows are compared with those stored.
REMEMBERED = 1_000


class RunShare(BaseModel):
    """What one run brought to a table.

    `given` is a digest of the rows that it was given, `rows` how many of them said something new,
    `as_of` its logical time in microseconds since 1970, UTC, `before` the latest one of the runs
    before it. `backfill` names the backfill that it is a part of, which has no logical time.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    run: str
    given: str
    rows: int
    as_of: int | None = None
    before: int | None = None
    backfill: str | None = None


class FileEntry(RunShare):
    """One file: what it holds, and the spans of its times in microseconds since 1970, UTC.

    A file that took the place of several names the latest runs whose rows it holds in `merged`, in
    their order, and says how many others are `forgotten`; its own `as_of` is their latest.
    """

    key: str
    bytes: int
    sha256: str
    columns: tuple[str, ...]
    event_time: tuple[int, int]
    created_time: tuple[int, int]
    statistics: dict[str, dict[str, Any]] = {}
    merged: tuple[RunShare, ...] = ()
    forgotten: int = 0

    @property
    def shares(self) -> tuple[RunShare, ...]:
        """The runs whose rows the file holds."""
        return self.merged or (self._share(),)

    def as_of_run(self, share: RunShare) -> Self:
        """This file as what one of its runs wrote."""
        return self.model_copy(update=share.model_dump())

    def _share(self) -> RunShare:
        return RunShare(**{name: getattr(self, name) for name in RunShare.model_fields})


class Manifest(BaseModel):
    """All files of a table, in the order in which their rows became visible.

    `serial` counts the moves of the pointer, so that no manifest is ever like an earlier one.
    `absent` are runs that have no rows in the files: they brought nothing new, or it was too old.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    table: str
    serial: int = 0
    entries: tuple[FileEntry, ...] = ()
    absent: tuple[RunShare, ...] = ()

    def share_of(self, run: str) -> RunShare | None:
        """What a run brought, wherever its rows are by now."""
        return next((share for share in self._shares() if share.run == run), None)

    def of_run(self, run: str) -> FileEntry | None:
        """The file that holds what a run wrote, as if it held nothing else."""
        found = ((entry, share) for entry in self.entries for share in entry.shares)
        return next((entry.as_of_run(share) for entry, share in found if share.run == run), None)

    def previous(self, run: str) -> int | None:
        """The latest logical time of the runs before a run; None before the first."""
        known = self.share_of(run)
        return self.as_of if known is None else known.before

    def with_shares(self, shares: Sequence[RunShare]) -> Self:
        """This manifest and more runs, with their files behind its own where they have some."""
        entries = tuple(share for share in shares if isinstance(share, FileEntry))
        absent = tuple(share for share in shares if not isinstance(share, FileEntry))
        return self.model_copy(
            update={
                "entries": (*self.entries, *entries),
                "absent": (*self.absent, *absent)[-REMEMBERED:],
            }
        )

    def with_merged(self, group: Sequence[FileEntry], merged: FileEntry) -> Self | None:
        """This manifest with one file in the place of several; None where they are not there."""
        keys = [entry.key for entry in self.entries]
        wanted = [entry.key for entry in group]
        first = keys.index(wanted[0]) if wanted[0] in keys else len(keys)
        if keys[first : first + len(wanted)] != wanted:
            return None
        rest = self.entries[first + len(wanted) :]
        return self.model_copy(update={"entries": (*self.entries[:first], merged, *rest)})

    def without_older(self, retention: int | None) -> Self:
        """This manifest without files whose every event time is older than `retention`.

        In microseconds before the latest run's logical time; None keeps all.
        """
        if retention is None or self.as_of is None:
            return self
        first = self.as_of - retention
        kept = tuple(entry for entry in self.entries if entry.event_time[1] >= first)
        gone = tuple(s for e in self.entries if e.event_time[1] < first for s in e.shares)
        absent = (*self.absent, *gone)[-REMEMBERED:]
        return self.model_copy(update={"entries": kept, "absent": absent})

    def groups(self, *, small: int, largest: int) -> list[tuple[FileEntry, ...]]:
        """Neighbouring files of less than `small` bytes, as many together as stay in `largest`.

        Of the same columns: in one file it is lost which rows had no place for a column.
        """
        found: list[tuple[FileEntry, ...]] = [()]
        for entry in self.entries:
            others = {frozenset(one.columns) for one in found[-1]} - {frozenset(entry.columns)}
            if entry.bytes >= small:
                found.append(())
            elif others or sum(one.bytes for one in found[-1]) + entry.bytes > largest:
                found.append((entry,))
            else:
                found[-1] = (*found[-1], entry)
        return [group for group in found if len(group) > 1]

    @property
    def as_of(self) -> int | None:
        """The latest run's logical time, None where no run has one."""
        return max((s.as_of for s in self._shares() if s.as_of is not None), default=None)

    @property
    def rows(self) -> int:
        """Rows of all files."""
        return sum(entry.rows for entry in self.entries)

    @property
    def runs(self) -> list[str]:
        """The runs whose rows are in the files, in their order."""
        shares = (share for entry in self.entries for share in entry.shares)
        return [share.run for share in shares if share.backfill is None]

    @property
    def forgotten(self) -> int:
        """How many runs have rows in the files beside those named."""
        return sum(entry.forgotten for entry in self.entries)

    @property
    def backfills(self) -> list[str]:
        """The backfills whose rows are in the files, in their order."""
        shares = (share for entry in self.entries for share in entry.shares)
        return list(dict.fromkeys(s.backfill for s in shares if s.backfill is not None))

    @property
    def latest(self) -> FileEntry | None:
        """The file of the latest run, None where it was merged or is not a run's."""
        own = [entry for entry in self.entries if entry.backfill is None]
        return own[-1] if own and not own[-1].merged else None

    def _shares(self) -> Iterator[RunShare]:
        for entry in self.entries:
            yield from entry.shares
        yield from self.absent


def merged_shares(group: Sequence[FileEntry]) -> tuple[tuple[RunShare, ...], int]:
    """The latest runs whose rows are in files, and how many others are to be forgotten."""
    shares = tuple(share for entry in group for share in entry.shares)
    before = sum(entry.forgotten for entry in group)
    return shares[-REMEMBERED:], before + max(len(shares) - REMEMBERED, 0)


def agree(known: RunShare, given: str) -> None:
    """Raise `FeatureError` where a run that wrote before was given other rows this time."""
    if known.given != given:
        raise FeatureError(
            f"run '{known.run}' has written other rows before; a run writes once: start a new one"
        )
