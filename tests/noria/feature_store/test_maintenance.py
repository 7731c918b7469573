"""Small files merged, old ones left out, superseded ones tagged: readers see no difference."""

import io
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from noria.aws.feature_store import Catalogue, FileEntry, Files, Manifest, manifest
from noria.aws.s3 import Store
from noria.core.feature_store.entity_frames import feature_rows
from noria.core.feature_store.feature_set import define
from noria.core.feature_store.write_sql import instant
from noria.errors import FeatureError
from noria.feature_store import maintenance
from noria.feature_store.store import FeatureReference, FeatureStore, open_feature_store
from tests.noria.feature_store.test_store import (
    DATABASE,
    DAY,
    Failing,
    Faults,
    asked,
    everything,
    glue,
    measured,
    opened,
    with_features,
    write,
)
from tests.support.examples import examples
from tests.support.memory_bucket import FolderBucket
from tests.support.memory_catalog import FolderCatalogue
from tests.support.stack_bucket import STACK_BUCKET, Serial

__all__ = ["glue"]
WEEK = timedelta(days=7)


@pytest.fixture
def features(bucket: Store, glue: Any) -> Iterator[FeatureStore]:
    with opened(bucket, glue) as store:
        yield store


def manifest_of(bucket: Store) -> Manifest:
    return Files(bucket).current("features_wines")


def tagged(bucket: Store, s3: Any) -> set[str]:
    """The objects that the bucket's rule will delete."""
    found = set()
    for key in bucket.keys("features"):
        tags = s3.get_object_tagging(Bucket=STACK_BUCKET, Key=key)["TagSet"]
        if {"Key": "noria", "Value": "superseded"} in tags:
            found.add(key)
    return found


def named(bucket: Store) -> set[str]:
    """The objects that readers may ask for."""
    pointer = "features-manifests/features_wines/current.json"
    files = {entry.key for entry in manifest_of(bucket).entries}
    return {pointer, bucket.get_json(pointer)["manifest"], *files}


def all_accounted_for(bucket: Store, s3: Any) -> None:
    """Nothing that a manifest names is tagged, and all else is."""
    assert tagged(bucket, s3) == set(bucket.keys("features")) - named(bucket)


def previous(features: FeatureStore, run: str) -> datetime | None:
    """When the run before a run was."""
    return instant(features.beside(features.feature_set("wines")).previous(run))


def days(store: FeatureStore, count: int, first: int = 0) -> None:
    """A run a day, each with the five bottles of that day."""
    for n in range(first, first + count):
        write(store, measured(5 * n, 5 * n + 5), f"run {n:02}", n)


def partitions(glue: Any) -> dict[str, str]:
    found = glue.get_partitions(DatabaseName=DATABASE, TableName="features_wines")["Partitions"]
    return {one["Values"][0]: one["StorageDescriptor"]["Location"] for one in found}


class TestCompaction:
    """One file in the place of several."""

    def test_readers_see_no_difference(
        self, features: FeatureStore, bucket: Store, glue: Any, s3: Serial
    ) -> None:
        days(features, 10)
        before, told = everything(bucket, glue), features.describe("wines")
        then = features.historical_features(asked(7), [FeatureReference("wines")], as_of=DAY + WEEK)
        found = features.compact("wines")
        assert found.files == (10, 1)
        assert everything(bucket, glue) == before
        again = features.historical_features(
            asked(7), [FeatureReference("wines")], as_of=DAY + WEEK
        )
        pd.testing.assert_frame_equal(again, then)
        after = features.describe("wines")
        assert (after["rows"], after["runs"]) == (told["rows"], told["runs"]) == (
            50, [f"run {n:02}" for n in range(10)]
        )  # fmt: skip
        assert after["statistics"] == told["statistics"]
        all_accounted_for(bucket, s3)

    def test_a_table_with_many_small_files_is_compacted_by_who_writes(
        self, features: FeatureStore, bucket: Store, glue: Any, s3: Serial
    ) -> None:
        days(features, maintenance.SMALL_FILES)
        assert len(manifest_of(bucket).entries) == maintenance.SMALL_FILES
        days(features, 1, maintenance.SMALL_FILES)
        assert len(manifest_of(bucket).entries) == 1
        days(features, 1, maintenance.SMALL_FILES + 1)
        [merged, last] = manifest_of(bucket).entries
        assert [share.run for share in merged.shares][-1] == "run 16"
        assert set(partitions(glue)) == {merged.run, last.run}
        all_accounted_for(bucket, s3)

    def test_a_merged_run_is_recognised(self, features: FeatureStore, bucket: Store) -> None:
        days(features, 3)
        features.compact("wines")
        before = {o.key: o.etag for o in bucket.objects("")}
        assert write(features, measured(5, 10), "run 01", 1).rows == 5
        assert {o.key: o.etag for o in bucket.objects("")} == before
        with pytest.raises(FeatureError, match="run 'run 01' has written other rows"):
            write(features, measured(5, 9), "run 01", 1)
        one = manifest_of(bucket).of_run("run 01")
        assert one is not None
        assert (one.run, one.rows, one.key) == ("run 01", 5, manifest_of(bucket).entries[0].key)

    def test_the_merged_file_is_what_its_manifest_says(
        self, features: FeatureStore, bucket: Store
    ) -> None:
        """GIVEN a column that the first runs did not have THEN theirs and the others stay apart."""
        wide = with_features({"name": "hue", "kind": "number"})
        for first in (0, 25):
            write(features, measured(first, first + 25), f"narrow {first}", first // 5)
        for first in (50, 60):
            rows = measured(first, first + 10, hue=1.5)
            write(features, rows, f"wide {first}", first // 5 + 2, feature_set=wide)
        features.compact("wines")
        narrow, entry = manifest_of(bucket).entries
        assert [*narrow.columns] == ["vineyard", "alcohol", "magnesium"]
        content = Files(bucket).fetch(entry)
        frame = pd.read_parquet(io.BytesIO(content))
        assert (len(frame), len(content)) == (entry.rows, entry.bytes) == (20, len(content))
        assert [*entry.columns] == ["vineyard", "alcohol", "magnesium", "hue"]
        assert entry.statistics["hue"]["present"] == frame["hue"].notna().sum() == 20
        assert entry.statistics["alcohol"]["mean"] == pytest.approx(frame["alcohol"].mean())
        assert frame["vineyard"].is_monotonic_increasing  # for small and prunable files
        later = features.historical_features(asked(20), [FeatureReference("wines")])
        assert later["hue"][0] == 1.5

    def test_runs_long_past_are_counted_and_forgotten(
        self, features: FeatureStore, bucket: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """GIVEN more runs than a manifest remembers THEN a late repetition still adds nothing."""
        monkeypatch.setattr(manifest, "REMEMBERED", 3)
        days(features, 5)
        features.compact("wines")
        days(features, 2, first=5)
        features.compact("wines")
        told = features.describe("wines")
        assert (told["runs"], told["runs_forgotten"]) == (["run 04", "run 05", "run 06"], 4)
        assert previous(features, "next") == DAY + timedelta(days=6)
        assert write(features, measured(0, 5), "run 00", 0).rows == 0
        for n in range(5):
            write(features, measured(0, 5), f"empty {n}", 10 + n)
        assert [share.run for share in manifest_of(bucket).absent] == [
            "empty 2", "empty 3", "empty 4"
        ]  # fmt: skip

    def test_files_of_repeating_rows_stay(self, features: FeatureStore, bucket: Store) -> None:
        """The file stored last is such a set's history, so it must stay a file of its own."""
        repeating = define(**(measured_set() | {"repeats": True}))
        for n in range(3):
            write(features, measured(0, 10), f"run {n}", n, feature_set=repeating)
        assert features.compact("wines").files == (3, 3)

    def test_a_fault_at_each_write_leaves_all_rows(
        self, s3: Serial, bucket: Store, glue: Any
    ) -> None:
        """GIVEN a fault at the n-th call that changes S3 or Glue THEN no row is missing, AND the
        next compaction completes it."""
        with opened(bucket, glue) as store:
            days(store, 3)
        n, outcomes = 0, []
        while True:
            before = everything(bucket, glue)
            faults, failed = Faults(n), False
            try:
                with opened(Store(Failing(s3, faults), STACK_BUCKET), Failing(glue, faults)) as s:
                    s.compact("wines")
            except ClientError:
                failed = True
            assert everything(bucket, glue) == before
            outcomes.append(len(manifest_of(bucket).entries))
            if not failed:
                break
            with opened(bucket, glue) as store:
                store.compact("wines")
                days(store, 2, first=3 + 2 * n)
            n += 1
        # The file, manifest and pointer before it; two calls to Glue and the tags behind it.
        assert outcomes[:3] == [3, 3, 3]
        assert set(outcomes[3:]) == {1}
        assert len(outcomes) > 6

    @pytest.mark.parametrize("behind", range(3))
    def test_a_writer_meanwhile_loses_nothing(
        self, s3: Serial, bucket: Store, glue: Any, behind: int
    ) -> None:
        with opened(bucket, glue) as store:
            days(store, 3)

        def write_more() -> None:
            with opened(bucket, glue) as other:
                days(other, 1, first=3)

        s3.once_behind(behind, write_more)
        with opened(bucket, glue) as store:
            store.compact("wines")
        found = manifest_of(bucket)
        assert found.runs == ["run 00", "run 01", "run 02", "run 03"]
        assert [len(entry.shares) for entry in found.entries] == [3, 1]
        assert set(partitions(glue)) == {entry.run for entry in found.entries}
        all_accounted_for(bucket, s3)

    @pytest.mark.parametrize("behind", range(3))
    def test_two_compactions_at_once_keep_one_file(
        self, s3: Serial, bucket: Store, glue: Any, behind: int
    ) -> None:
        with opened(bucket, glue) as store:
            days(store, 3)

        def compact_too() -> None:
            with opened(bucket, glue) as other:
                other.compact("wines")

        s3.once_behind(behind, compact_too)
        before = everything(bucket, glue)
        with opened(bucket, glue) as store:
            store.compact("wines")
        assert everything(bucket, glue) == before
        assert len(manifest_of(bucket).entries) == 1
        all_accounted_for(bucket, s3)


def measured_set() -> dict[str, Any]:
    return with_features().model_dump()


ROWS = st.tuples(
    st.integers(0, 2),  # entity
    st.integers(0, 4),  # event, minutes
    st.integers(0, 6),  # created, minutes
    st.one_of(st.none(), st.integers(0, 2)),  # value
)
RUNS = st.lists(st.lists(ROWS, min_size=1, max_size=6), min_size=2, max_size=5)
HISTORY = define(
    name="history", entity_key=[{"name": "entity", "kind": "text"}],
    features=[{"name": "value", "kind": "number"},
              {"name": "run", "kind": "number"} | {"name": "origin"}],
)  # fmt: skip


class Folder(FolderBucket):
    """A bucket that leaves no file open."""

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        found = super().get_object(Bucket, Key)
        with found["Body"] as body:
            return {**found, "Body": io.BytesIO(body.read())}


@examples(40, quick=12)
@given(runs=RUNS, cuts=st.lists(st.integers(1, 4), max_size=2), data=st.data())
def test_random_histories_answer_as_before(
    runs: Sequence[Sequence[tuple[int, int, int, int | None]]], cuts: Sequence[int], data: Any
) -> None:
    """GIVEN ties, corrections, late and equal values THEN retrieval is the same to the bit."""
    minutes = [timedelta(minutes=n) for n in range(8)]
    with TemporaryDirectory() as home:
        bucket = Store(Folder(Path(home) / "bucket"), "stack")
        (Path(home) / "bucket").mkdir()
        catalogue = Catalogue(FolderCatalogue(Path(home) / "glue"), "database")
        with open_feature_store(Files(bucket), catalogue, threads=1) as store:
            feature_set = store.register(HISTORY)
            for n, rows in enumerate(runs):
                unique = {row[:2]: row for row in rows}.values()
                frame = pd.DataFrame(
                    {
                        "entity": [f"e{row[0]}" for row in unique],
                        "event_time": [DAY + minutes[row[1]] for row in unique],
                        "created_time": [DAY + minutes[row[2]] for row in unique],
                        "value": [row[3] for row in unique], "origin": float(n),
                    }
                ).astype({"value": "float64"})  # fmt: skip
                store.write(feature_set, frame, run=f"run {n}", created=DAY + minutes[7])
                if n in cuts:
                    store.compact("history")
            before = answers(store, minutes)
            store.compact("history")
            pd.testing.assert_frame_equal(answers(store, minutes), before)
            last = pd.DataFrame(
                {"entity": ["e0"], "event_time": [DAY], "created_time": [DAY + minutes[3]],
                 "value": [1.0], "origin": [data.draw(st.sampled_from([0.0, 9.0]))]}
            )  # fmt: skip
            store.write(feature_set, last, run="last", created=DAY + minutes[7])
            assert len(Files(bucket).current("features_history").entries) <= 2


def answers(store: FeatureStore, minutes: Sequence[timedelta]) -> pd.DataFrame:
    """What every entity sees at every minute, now and as of every minute."""
    asked = pd.DataFrame(
        [(f"e{e}", DAY + minute) for e in range(3) for minute in minutes],
        columns=["entity", "prediction_time"],
    )
    seen = [store.historical_features(asked, [FeatureReference("history")])]
    seen += [
        store.historical_features(asked, [FeatureReference("history")], as_of=DAY + minute)
        for minute in minutes
    ]
    return pd.concat(seen, ignore_index=True)


class TestGroups:
    """Which files are merged: neighbours, small ones, and never more than memory takes."""

    @pytest.mark.parametrize(
        ("sizes", "groups"),
        [
            ([1, 1, 1], [[0, 1, 2]]),
            ([9, 1, 1, 9, 1, 9, 1, 1], [[1, 2], [6, 7]]),
            ([4, 4, 4, 4, 4], [[0, 1], [2, 3]]),
            ([4, 4, 1, 4, 4], [[0, 1, 2], [3, 4]]),
            ([9, 9], []),
            ([], []),
        ],
    )
    def test_groups(self, sizes: list[int], groups: list[list[int]]) -> None:
        entries = [entry_of(n, size) for n, size in enumerate(sizes)]
        found = Manifest(table="t", entries=entries).groups(small=5, largest=9)
        assert [[int(entry.run) for entry in group] for group in found] == groups


def entry_of(n: int, size: int) -> FileEntry:
    return FileEntry(run=str(n), key=str(n), rows=1, bytes=size, sha256="", given="", columns=(),
                 event_time=(0, 0), created_time=(0, 0))  # fmt: skip


class TestSuperseded:
    """What no manifest names any more is tagged for the bucket's rule, and nothing else is."""

    def test_old_manifests(self, features: FeatureStore, bucket: Store, s3: Serial) -> None:
        days(features, 3)
        assert len(tagged(bucket, s3)) == 2
        all_accounted_for(bucket, s3)

    def test_manifests_of_lost_races(self, bucket: Store, glue: Any, s3: Serial) -> None:
        with opened(bucket, glue) as store:
            days(store, 1)

        def write_too() -> None:
            with opened(bucket, glue) as other:
                days(other, 1, first=1)

        with opened(bucket, glue) as store:
            s3.once_behind(1, write_too)
            days(store, 1, first=2)
        assert manifest_of(bucket).runs == ["run 00", "run 01", "run 02"]
        all_accounted_for(bucket, s3)

    def test_files_of_failed_deliveries(self, bucket: Store, glue: Any, s3: Serial) -> None:
        """GIVEN a delivery that left a file, and a repeated one that stores fewer rows."""
        failing = Store(Failing(s3, Faults(1)), STACK_BUCKET)
        with opened(failing, glue) as store:
            store.register(with_features())
            with pytest.raises(ClientError):
                write(store, measured(0, 10), "mine")
        with opened(bucket, glue) as store:
            write(store, measured(0, 5), "other")
            write(store, measured(0, 10), "mine")
        assert len(bucket.keys("features_wines/run=mine/")) == 2
        all_accounted_for(bucket, s3)

    def test_files_of_runs_that_never_came_back(
        self, bucket: Store, glue: Any, s3: Serial, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        failing = Store(Failing(s3, Faults(1)), STACK_BUCKET)
        with opened(failing, glue) as store:
            store.register(with_features())
            with pytest.raises(ClientError):
                write(store, measured(0, 10), "lost")
        with opened(bucket, glue) as store:
            days(store, 2)
            store.compact("wines")
            assert not [key for key in tagged(bucket, s3) if "run=lost" in key]  # it may go on
            monkeypatch.setattr(maintenance, "ORPHAN_AGE", timedelta(seconds=-5))
            store.compact("wines")
        all_accounted_for(bucket, s3)


class TestRetention:
    """Files whose every event time is too old leave, and their rows do not come back."""

    def kept(self, bucket: Store, glue: Any) -> Any:
        catalogue = Catalogue(glue, DATABASE)
        return open_feature_store(Files(bucket), catalogue, threads=1, retention=WEEK)

    def test_old_files_leave(self, bucket: Store, glue: Any, s3: Serial) -> None:
        with self.kept(bucket, glue) as store:
            days(store, 10)
            found = manifest_of(bucket)
            assert found.runs == [f"run {n:02}" for n in range(2, 10)]
            assert set(partitions(glue)) == set(found.runs)
            old = store.historical_features(asked(1), [FeatureReference("wines")])
            assert old["alcohol"].isna().all()
        all_accounted_for(bucket, s3)

    def test_the_next_run_does_not_bring_them_back(self, bucket: Store, glue: Any) -> None:
        """GIVEN runs whose table always holds all rows THEN only those kept are stored."""
        with self.kept(bucket, glue) as store:
            for n in range(12):
                written = write(store, measured(0, 5 * n + 5), f"run {n:02}", n)
                assert written.rows == 5
            assert features_first(bucket) >= DAY + timedelta(days=4)

    def test_a_run_that_left_is_recognised(self, bucket: Store, glue: Any) -> None:
        with self.kept(bucket, glue) as store:
            days(store, 10)
            before = {o.key: o.etag for o in bucket.objects("")}
            assert write(store, measured(0, 5), "run 00", 0).rows == 5
            assert {o.key: o.etag for o in bucket.objects("")} == before
            with pytest.raises(FeatureError, match="has written other rows"):
                write(store, measured(0, 4), "run 00", 0)

    def test_a_shorter_retention_counts_at_the_next_compaction(
        self, bucket: Store, glue: Any, s3: Serial
    ) -> None:
        with opened(bucket, glue) as store:
            days(store, 10)
        with self.kept(bucket, glue) as store:
            assert store.compact("wines").files == (10, 1)
            assert manifest_of(bucket).rows == 40
        all_accounted_for(bucket, s3)

    def test_without_one_all_rows_stay(self, features: FeatureStore, bucket: Store) -> None:
        days(features, 12)
        features.compact("wines")
        assert manifest_of(bucket).rows == 60


def features_first(bucket: Store) -> Any:
    first = min(entry.event_time[0] for entry in manifest_of(bucket).entries)
    return pd.Timestamp(first, unit="us", tz="UTC")


class TestCatalogue:
    """Athena's partitions follow the manifest."""

    def test_what_an_earlier_call_did_not_do_is_made_good(self, bucket: Store, glue: Any) -> None:
        faults = Faults(0)
        with opened(bucket, glue) as store:
            store.register(with_features())
        with opened(bucket, Failing(glue, faults)) as store, pytest.raises(ClientError):
            store.write(with_features(), measured(0, 5), run="run 00", created=DAY)
        assert partitions(glue) == {}
        with opened(bucket, glue) as store:
            days(store, 1, first=1)
        assert set(partitions(glue)) == {"run 00", "run 01"}

    def test_what_is_not_in_the_manifest_goes(self, features: FeatureStore, glue: Any) -> None:
        days(features, 2)
        there = glue.get_table(DatabaseName=DATABASE, Name="features_wines")["Table"]
        descriptor = there["StorageDescriptor"]
        stray = {"Values": ["stray"], "StorageDescriptor": descriptor}
        glue.create_partition(
            DatabaseName=DATABASE, TableName="features_wines", PartitionInput=stray
        )
        days(features, 1, first=2)
        assert set(partitions(glue)) == {"run 00", "run 01", "run 02"}

    def test_many_partitions_go_in_batches(self, bucket: Store, glue: Any) -> None:
        wanted = {f"run {n}": f"s3://b/features_wines/run={n}/" for n in range(230)}
        with opened(bucket, glue) as store:
            store.register(with_features())
        catalogue = Catalogue(glue, DATABASE)
        catalogue.match_partitions("features_wines", wanted)
        assert partitions(glue) == wanted
        fewer = {run: f"{place}moved/" for run, place in [*wanted.items()][:3]}
        catalogue.match_partitions("features_wines", fewer)
        assert partitions(glue) == fewer

    def test_a_refused_partition_is_told(self, bucket: Store, glue: Any) -> None:
        with opened(bucket, glue) as store:
            store.register(with_features())
        said = {"ErrorCode": "ResourceNumberLimitExceededException", "ErrorMessage": "too many"}
        refusing = Refusing(glue, {"PartitionValues": ["a"], "ErrorDetail": said})
        with pytest.raises(FeatureError, match=r"refused partition \['a'\].*too many.*next write"):
            Catalogue(refusing, DATABASE).match_partitions("features_wines", {"a": "s3://b/a/"})


class Refusing:
    """A Glue client whose batches answer with an error of one partition."""

    def __init__(self, client: Any, error: dict[str, Any]) -> None:
        self._client, self._error = client, error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def batch_create_partition(self, **_: Any) -> dict[str, Any]:
        return {"Errors": [self._error]}


class TestReadersBesideACompaction:
    """A manifest that was read, and whose files the bucket's rule deletes before they are."""

    def test_a_reader_goes_on_with_what_is_there_now(
        self, features: FeatureStore, bucket: Store, glue: Any, s3: Serial
    ) -> None:
        days(features, 3)

        def compact(call: str) -> None:
            if call == "get_object":  # of the pointer: the reader knows the files by then
                s3.after = merge

        def merge(call: str) -> None:
            s3.after = lambda call: None
            with opened(bucket, glue) as other:
                other.compact("wines")
            for key in tagged(bucket, s3):
                if key.endswith(".parquet"):
                    bucket.delete(key)

        s3.after = compact
        with opened(bucket, glue) as reader:
            found = reader.historical_features(asked(20), [FeatureReference("wines")])
        assert found["alcohol"].notna().all()
        assert len(manifest_of(bucket).entries) == 1


class TestPreviousRuns:
    """When the run before was, however often a run is delivered and whatever it brought."""

    def test_runs_that_brought_nothing_count(self, features: FeatureStore) -> None:
        features.register(with_features())
        assert previous(features, "run 00") is None
        days(features, 1)
        write(features, measured(0, 5), "empty", 3)
        assert previous(features, "next") == DAY + timedelta(days=3)
        assert features.describe("wines")["runs"] == ["run 00"]

    def test_a_run_between_reading_and_writing_is_not_the_one_before(
        self, features: FeatureStore
    ) -> None:
        """GIVEN a refresh that publishes meanwhile THEN a repeated delivery makes the same rows."""
        wines = features.register(with_features())
        days(features, 2)
        beside = features.beside(wines)
        write(features, measured(10, 15), "refresh", 3)
        rows = features.engine.give(feature_rows(measured(0, 20), wines).assign(
            created_time=(DAY + timedelta(days=4)).replace(tzinfo=None)))  # fmt: skip
        when = DAY + timedelta(days=4)
        features.write_relation(wines, rows, run="turn", as_of=when, beside=beside)
        assert previous(features, "turn") == DAY + timedelta(days=1)

    def test_a_repeated_delivery_has_the_same(self, features: FeatureStore) -> None:
        wines = features.register(with_features())
        days(features, 4)
        features.compact("wines")
        for n in range(1, 4):
            assert previous(features, f"run {n:02}") == DAY + timedelta(days=n - 1)
        assert features.latest_run(wines) == DAY + timedelta(days=3)
