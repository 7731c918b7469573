"""The feature store on S3 and Glue: versions, atomic writes, two writers, and what it refuses."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pandas as pd
import pytest
from botocore.exceptions import ClientError
from sklearn.datasets import load_wine

from noria.aws.feature_store import Catalogue, Files
from noria.aws.s3 import Store
from noria.core.feature_store.feature_set import FeatureSet, define
from noria.errors import FeatureError
from noria.feature_store.store import FeatureReference, FeatureStore, open_feature_store
from tests.support.stack_bucket import STACK_BUCKET, Serial

DATABASE = "noria_test"
DAY = datetime(2024, 5, 1, tzinfo=UTC)
FEATURES = [
    {"name": "alcohol", "kind": "number", "description": "in % vol."},
    {"name": "magnesium", "kind": "number", "time_to_live": timedelta(days=20)},
]
WINES = define(
    name="wines", description="what the laboratory measures", source="the laboratory",
    entity_key=[{"name": "vineyard", "kind": "text"}], features=FEATURES,
)  # fmt: skip


@pytest.fixture
def glue(s3: Serial) -> Any:
    client = boto3.client("glue", region_name="eu-west-1")
    client.create_database(DatabaseInput={"Name": DATABASE})
    return client


@pytest.fixture
def features(bucket: Store, glue: Any) -> Iterator[FeatureStore]:
    with opened(bucket, glue) as store:
        yield store


def opened(bucket: Store, glue: Any) -> Any:
    return open_feature_store(Files(bucket), Catalogue(glue, DATABASE), threads=1)


def measured(first: int = 0, last: int = 178, **changed: Any) -> pd.DataFrame:
    """Wines as a laboratory measures them: five vineyards, one bottle a day each."""
    wine = load_wine(as_frame=True).data[["alcohol", "magnesium"]].iloc[first:last]
    positions = pd.Series(range(first, last))
    frame = pd.DataFrame(
        {
            "vineyard": [f"vineyard {n % 5}" for n in positions],
            "event_time": [DAY + timedelta(days=n // 5) for n in positions],
            "alcohol": wine["alcohol"].to_numpy(), "magnesium": wine["magnesium"].to_numpy(),
        }
    )  # fmt: skip
    return frame.assign(**changed)


def write(store: FeatureStore, rows: pd.DataFrame, run: str, day: int = 0, **more: Any) -> Any:
    registered = store.register(more.get("feature_set", WINES))
    return store.write(registered, rows, run=run, created=DAY + timedelta(days=day))


def asked(day: int, vineyard: str = "vineyard 0") -> pd.DataFrame:
    return pd.DataFrame({"vineyard": [vineyard], "prediction_time": [DAY + timedelta(days=day)]})


def everything(bucket: Store, glue: Any, name: str = "wines") -> list[tuple[Any, ...]]:
    """What a new reader sees of every bottle, at the end of time."""
    with opened(bucket, glue) as store:
        try:
            rows = measured().assign(prediction_time=DAY + timedelta(days=300))
            seen = store.historical_features(
                rows[["vineyard", "prediction_time"]].drop_duplicates(), [FeatureReference(name)]
            )
        except FeatureError as error:
            return [(str(error),)]
        return list(seen[["vineyard", "alcohol"]].itertuples(index=False, name=None))


class TestRegistering:
    """Names, types and meanings in the Glue catalogue."""

    def test_table_tells_what_the_set_holds(self, features: FeatureStore, glue: Any) -> None:
        write(features, measured(), "first")
        table = glue.get_table(DatabaseName=DATABASE, Name="features_wines")["Table"]
        columns = {c["Name"]: c for c in table["StorageDescriptor"]["Columns"]}
        assert [c["Type"] for c in columns.values()] == [
            "string", "timestamp", "timestamp", "double", "double"
        ]  # fmt: skip
        assert columns["alcohol"]["Comment"] == "in % vol."
        assert table["Description"] == "what the laboratory measures"
        assert table["Parameters"]["entity_key"] == "vineyard"
        [partition] = glue.get_partitions(DatabaseName=DATABASE, TableName="features_wines")[
            "Partitions"
        ]
        assert partition["Values"] == ["first"]

    def test_athena_finds_the_rows_under_the_partition(
        self, features: FeatureStore, glue: Any, bucket: Store
    ) -> None:
        write(features, measured(), "first")
        partition = glue.get_partition(
            DatabaseName=DATABASE, TableName="features_wines", PartitionValues=["first"]
        )["Partition"]
        [key] = bucket.keys(
            partition["StorageDescriptor"]["Location"].partition(f"{STACK_BUCKET}/")[2]
        )
        frame = pd.read_parquet(io.BytesIO(bucket.get(key)))
        assert frame["alcohol"].sum() == pytest.approx(load_wine().data[:, 0].sum())
        assert frame["event_time"].dt.tz is None

    def test_added_column_keeps_version_and_readers(self, features: FeatureStore) -> None:
        write(features, measured(0, 50), "first")
        wider = with_features({"name": "hue", "kind": "number"})
        write(features, measured(50, 60, hue=1.5), "second", 11, feature_set=wider)
        assert features.feature_set("wines").version == 1
        seen = features.historical_features(asked(9), [FeatureReference("wines")])
        assert seen["hue"].isna().all()
        assert seen["alcohol"].notna().all()
        assert features.historical_features(asked(11), [FeatureReference("wines")])["hue"][0] == 1.5

    def test_lost_replies_of_the_catalogue_are_no_conflict(self, bucket: Store, glue: Any) -> None:
        """GIVEN calls that are sent again after they succeeded THEN nothing is refused."""
        with opened(bucket, Repeating(glue)) as store:
            assert write(store, measured(0, 50), "first").rows == 50
            wider = with_features({"name": "hue", "kind": "number"})
            assert store.register(wider).version == 1
            assert store.describe("wines")["statistics"]["rows"] == 50

    @pytest.mark.parametrize("change", ["removed", "retyped", "rekeyed"])
    def test_other_changes_make_a_version(self, features: FeatureStore, change: str) -> None:
        write(features, measured(0, 50), "first")
        before = features.historical_features(asked(9), [FeatureReference("wines")])
        rows = measured(0, 50)
        if change == "removed":
            later, rows = with_features(keep=1), rows.drop(columns="magnesium")
        elif change == "retyped":
            later, rows = with_features({"name": "magnesium", "kind": "text"}, keep=1), rows
            rows["magnesium"] = rows["magnesium"].astype(str)
        else:
            later = WINES.model_copy(update={"entity_key": ()})
            rows = rows.drop(columns="vineyard")
        assert write(features, rows, "second", 40, feature_set=later).feature_set.version == 2
        old = FeatureReference("wines", version=1)
        pd.testing.assert_frame_equal(features.historical_features(asked(9), [old]), before)
        assert [one.version for one in features.feature_sets()] == [1, 2]
        assert not features.compare("wines", 1, 2).compatible
        assert features.compare("wines", 1, 2).sentences

    def test_describing_tells_rows_runs_and_statistics(self, features: FeatureStore) -> None:
        write(features, measured(), "first")
        told = features.describe("wines")
        assert (told["rows"], told["runs"]) == (178, ["first"])
        alcohol = told["statistics"]["columns"]["alcohol"]
        assert alcohol["present"] == 178
        assert alcohol["mean"] == pytest.approx(load_wine().data[:, 0].mean())


class TestReading:
    """By entity and time."""

    def test_rows_keep_their_order_and_index(self, features: FeatureStore) -> None:
        write(features, measured(), "first")
        entities = measured().sample(frac=1, random_state=3)[["vineyard", "event_time"]]
        entities["prediction_time"] = entities["event_time"].dt.tz_convert("Asia/Tokyo")
        seen = features.historical_features(entities, [FeatureReference("wines", ["alcohol"])])
        assert seen.index.equals(entities.index)
        late = entities["prediction_time"] < DAY
        assert not late.any()
        pd.testing.assert_series_equal(
            seen["alcohol"], measured().loc[seen.index, "alcohol"], check_names=False
        )

    def test_value_too_old_counts_as_missing(self, features: FeatureStore) -> None:
        write(features, measured(0, 5), "first")
        assert (
            features.historical_features(asked(20), [FeatureReference("wines")])["magnesium"][0]
            == 127
        )
        old = features.historical_features(asked(21), [FeatureReference("wines")])
        assert old["magnesium"].isna()[0]
        assert old["alcohol"][0] == 14.23

    def test_as_of_hides_what_became_known_later(self, features: FeatureStore) -> None:
        write(features, measured(0, 5), "first")
        write(features, measured(0, 5, alcohol=1.0), "corrected", 2)
        now = features.historical_features(asked(9), [FeatureReference("wines")])
        then = features.historical_features(
            asked(9), [FeatureReference("wines")], as_of=DAY + timedelta(days=1)
        )
        assert (then["alcohol"][0], now["alcohol"][0]) == (14.23, 1.0)

    def test_whole_numbers_name_what_text_names(self, features: FeatureStore) -> None:
        rows = measured(0, 5, vineyard=["5", "6", "7", "8", "9"])
        write(features, rows, "first")
        seen = features.historical_features(
            asked(1).assign(vineyard=[7]), [FeatureReference("wines")]
        )
        assert seen["alcohol"][0] == rows["alcohol"][2]

    def test_no_entities_give_no_rows(self, features: FeatureStore) -> None:
        write(features, measured(), "first")
        seen = features.historical_features(asked(1)[:0], [FeatureReference("wines")])
        assert list(seen.columns) == ["vineyard", "prediction_time", "alcohol", "magnesium"]
        assert len(seen) == 0

    def test_unseen_entity_has_missing_values(self, features: FeatureStore) -> None:
        write(features, measured(), "first")
        seen = features.historical_features(asked(9, "elsewhere"), [FeatureReference("wines")])
        assert seen[["alcohol", "magnesium"]].isna().all(axis=None)

    def test_latest_are_those_of_the_instant(self, features: FeatureStore) -> None:
        write(features, measured(), "first")
        keys = asked(0)[["vineyard"]]
        at = features.latest_features(keys, FeatureReference("wines"), at=DAY + timedelta(days=3))
        assert at["alcohol"][0] == measured()["alcohol"][15]


class TestWriting:
    """Whole or not at all."""

    def test_only_what_is_new_is_stored(self, features: FeatureStore) -> None:
        assert write(features, measured(0, 100), "first").rows == 100
        changed = measured(0, 150)
        changed.loc[3, "alcohol"] = 9.0
        assert write(features, changed, "second", 40).rows == 51
        assert write(features, changed, "third", 41).rows == 0
        assert write(features, measured(0, 150), "back", 42).rows == 1

    def test_what_was_known_earlier_is_new(self, features: FeatureStore) -> None:
        """GIVEN rows that a run brought late THEN a backfill may say when they became known."""
        write(features, measured(0, 5), "late", 30)
        assert features.historical_features(asked(9), [FeatureReference("wines")])[
            "alcohol"
        ].isna()[0]
        rows = measured(0, 5)
        assert write(features, rows.assign(created_time=rows["event_time"]), "backfill").rows == 5
        seen = features.historical_features(asked(9), [FeatureReference("wines")])
        assert seen["alcohol"][0] == 14.23

    def test_repeated_delivery_changes_no_byte(
        self, features: FeatureStore, bucket: Store, glue: Any
    ) -> None:
        write(features, measured(0, 100), "first")
        write(features, measured(), "second", 40)
        before = {o.key: o.etag for o in bucket.objects("")}
        with opened(bucket, glue) as again:
            write(again, measured(), "second", 40)
            shuffled = measured(0, 100).sample(frac=1, random_state=1)
            write(again, shuffled, "first")
        assert {o.key: o.etag for o in bucket.objects("")} == before

    def test_equal_rows_give_equal_bytes(self, bucket: Store, glue: Any) -> None:
        keys = set()
        for name in ("one", "two"):
            feature_set = WINES.model_copy(update={"name": name})
            with open_feature_store(Files(bucket), Catalogue(glue, DATABASE)) as store:
                frame = measured().sample(frac=1, random_state=len(keys))
                write(store, frame, "run", feature_set=feature_set)
            [key] = bucket.keys(f"features_{name}/")
            keys.add(key.partition("/")[2])
        assert len(keys) == 1

    def test_a_fault_at_each_write_leaves_old_or_new(
        self, s3: Serial, bucket: Store, glue: Any
    ) -> None:
        """GIVEN a fault at the n-th call that changes S3 or Glue THEN readers see all or nothing,
        AND the repeated delivery completes it."""
        with opened(bucket, glue) as store:
            write(store, measured(0, 50), "base")
        outcomes, n = [], 0
        while True:
            broken = measured(0, 50, alcohol=float(n))
            before = everything(bucket, glue)
            faults = Faults(n)
            failing = Store(Failing(s3, faults), STACK_BUCKET)
            failed = False
            try:
                with opened(failing, Failing(glue, faults)) as store:
                    write(store, broken, f"run {n}", 50 + n)
            except ClientError:
                failed = True
            seen = everything(bucket, glue)
            new = [(f"vineyard {v}", float(n)) for v in range(5)]
            assert seen in (before, new)
            outcomes.append(seen == new)
            if not failed:
                break
            with opened(bucket, glue) as store:
                write(store, broken, f"run {n}", 50 + n)
            assert everything(bucket, glue) == new
            n += 1
        # File, manifest and pointer before it; partition, statistics and a tag behind it.
        assert outcomes == [False, False, False, True, True, True, True]

    @pytest.mark.parametrize("behind", ["file", "manifest", "pointer"])
    def test_two_writers_at_once_lose_nothing(
        self, s3: Serial, bucket: Store, glue: Any, behind: str
    ) -> None:
        """GIVEN another process that writes behind this one's first, second or third write."""
        with opened(bucket, glue) as store:
            write(store, measured(0, 5), "base")
        left = ["file", "manifest", "pointer"].index(behind)

        def interfere(call: str) -> None:
            nonlocal left
            if call != "put_object":
                return
            left -= 1
            if left < 0:
                s3.after = lambda call: None
                with opened(bucket, glue) as other:
                    write(other, measured(10, 20), "other", 10)

        s3.after = interfere
        with opened(bucket, glue) as store:
            write(store, measured(5, 10), "mine", 10)
        with opened(bucket, glue) as store:
            told = store.describe("wines")
            seen = store.historical_features(asked(40), [FeatureReference("wines")])
        runs = ["mine", "other"] if behind == "pointer" else ["other", "mine"]
        assert told["runs"] == ["base", *runs]
        assert told["rows"] == 20
        assert seen["alcohol"][0] == measured()["alcohol"][15]

    def test_a_writer_that_never_gets_through_gives_up_in_words(
        self, s3: Serial, bucket: Store, glue: Any
    ) -> None:
        """GIVEN others that move the pointer again and again THEN it ends, and theirs is kept."""
        with opened(bucket, glue) as store:
            write(store, measured(0, 5), "base")
        [manifest] = [key for key in bucket.keys("features-manifests/") if "current" not in key]
        moves = iter(range(1000))

        def interfere(call: str) -> None:
            if call == "put_object":
                pointer = {"manifest": manifest, "move": next(moves)}
                s3.after = lambda call: None
                bucket.put_json("features-manifests/features_wines/current.json", pointer)
                s3.after = interfere

        s3.after = interfere
        with (
            opened(bucket, glue) as store,
            pytest.raises(FeatureError, match="moved table 'features_wines' 8 times"),
        ):
            write(store, measured(5, 10), "mine", 10)
        s3.after = lambda call: None
        assert features_rows(bucket, glue) == 5

    def test_a_run_writes_one_thing(self, features: FeatureStore) -> None:
        write(features, measured(), "first")
        with pytest.raises(FeatureError, match="run 'first' has written other rows"):
            write(features, measured(0, 20), "first")


class TestBadInput:
    """Refused with the place, the value and the remedy."""

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (lambda rows: rows.assign(event_time=rows["event_time"].dt.tz_localize(None)),
             "'event_time' has times without a zone.*tz_localize"),
            (lambda rows: rows.assign(event_time=rows["event_time"].astype(str)),
             "'event_time' is str, not a time; convert it"),
            (lambda rows: rows.assign(event_time=rows["event_time"].where(rows.index != 4)),
             "'event_time' is missing in row 4"),
            (lambda rows: rows.drop(columns="vineyard"), "no column 'vineyard'.*entity key"),
            (lambda rows: rows.assign(vineyard=rows["vineyard"].where(rows.index > 4)),
             "'vineyard' is missing in row 0, 1, 2 and 2 more"),
            (lambda rows: rows.assign(vineyard=1.0), "7 and 7.0 would be two entities"),
            (lambda rows: rows.assign(vineyard=True), "'vineyard' is bool.*has text; convert it"),
            (lambda rows: rows.drop(columns="alcohol"), "no column 'alcohol'"),
            (lambda rows: rows.assign(hue=1.0), "a column 'hue' that the set has not"),
            (lambda rows: pd.concat([rows, rows[7:9]]),
             r"vineyard='vineyard 2' has 2 rows at event time 2024-05-02T00:00:00Z \(and 1 more"),
            (lambda rows: rows.assign(created_time=rows["event_time"].dt.tz_localize(None)),
             "'created_time' has times without a zone"),
        ],
    )  # fmt: skip
    def test_rows(self, features: FeatureStore, bucket: Store, change: Any, said: str) -> None:
        with pytest.raises(FeatureError, match=said):
            write(features, change(measured(0, 20)), "bad")
        assert bucket.keys("") == []

    @pytest.mark.parametrize(
        ("reference", "said"),
        [
            (FeatureReference("beers"), "no feature set 'beers'; registered are: wines"),
            (FeatureReference("wines", version=3), "no version 3; it has version 1"),
            (FeatureReference("wines", ["hue"]), "no feature 'hue'; it has alcohol, magnesium"),
        ],
    )
    def test_references(
        self, features: FeatureStore, reference: FeatureReference, said: str
    ) -> None:
        write(features, measured(), "first")
        with pytest.raises(FeatureError, match=said):
            features.historical_features(asked(1), [reference])

    def test_entities(self, features: FeatureStore) -> None:
        write(features, measured(), "first")
        wines = [FeatureReference("wines")]
        naive = asked(1).assign(prediction_time=pd.Timestamp("2024-05-02"))
        with pytest.raises(FeatureError, match="'prediction_time' has times without a zone"):
            features.historical_features(naive, wines)
        with pytest.raises(FeatureError, match=r"as_of .* has no zone"):
            features.historical_features(asked(1), wines, as_of=datetime(2024, 5, 1))  # noqa: DTZ001
        with pytest.raises(FeatureError, match="no column 'vineyard'"):
            features.historical_features(asked(1).drop(columns="vineyard"), wines)
        with pytest.raises(FeatureError, match=r"'alcohol' .*is there already"):
            features.historical_features(asked(1).assign(alcohol=1.0), wines)

    def test_no_rows_yet(self, features: FeatureStore) -> None:
        features.register(WINES)
        with pytest.raises(FeatureError, match="'wines' version 1 has no rows yet"):
            features.historical_features(asked(1), [FeatureReference("wines")])

    def test_what_is_known_afterwards_is_not_handed_out(self, features: FeatureStore) -> None:
        late = with_features({"name": "price", "kind": "number", "afterwards": True})
        write(features, measured(price=5.0), "first", feature_set=late)
        seen = features.historical_features(asked(40), [FeatureReference("wines")])
        assert "price" not in seen
        with pytest.raises(FeatureError, match=r"'price' .*known only afterwards"):
            features.historical_features(asked(40), [FeatureReference("wines", ["price"])])

    def test_manifest_that_names_what_is_gone(
        self, features: FeatureStore, bucket: Store, glue: Any
    ) -> None:
        write(features, measured(), "first")
        [key] = bucket.keys("features_wines/")
        content = bucket.get(key)
        for damage, said in ((None, "178 rows, which is missing"), (b"PAR1", "not what its man")):
            bucket.delete(key) if damage is None else bucket.put(key, damage)
            [(error,)] = everything(bucket, glue)
            assert said in error
            assert "restore the object's earlier version" in error
        bucket.put(key, content)
        assert len(everything(bucket, glue)) == 5

    def test_pointer_that_leads_nowhere(
        self, features: FeatureStore, bucket: Store, glue: Any
    ) -> None:
        write(features, measured(), "first")
        bucket.put_json("features-manifests/features_wines/current.json", {"manifest": "gone"})
        [(error,)] = everything(bucket, glue)
        assert "points to 'gone', which is missing or broken" in error

    @pytest.mark.parametrize("name", ["alcohol", "Run", "event_time", "run"])
    def test_definitions(self, name: str) -> None:
        with pytest.raises(FeatureError, match=f"'{name}'"):
            define(name="wines", features=[*FEATURES, {"name": name, "kind": "number"}])


def features_rows(bucket: Store, glue: Any) -> int:
    with opened(bucket, glue) as store:
        return int(store.describe("wines")["rows"])


def with_features(*more: dict[str, Any], keep: int = 2) -> FeatureSet:
    fields = WINES.model_dump() | {"features": [*FEATURES[:keep], *more]}
    return define(**fields)


class Repeating:
    """A Glue client whose first replies are lost: each change is sent twice."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)
        if not name.startswith(("create_", "update_")):
            return method

        def call(**options: Any) -> Any:
            method(**options)
            if name == "update_table":  # as AWS refuses a version that is no longer current
                error = {"Error": {"Code": "ConcurrentModificationException", "Message": ""}}
                raise ClientError(error, name)  # type: ignore[arg-type]
            return method(**options)

        return call


CHANGES = ("put_", "create_", "update_", "delete_", "batch_create_", "batch_delete_")


class Faults:
    """Counts calls that change something; the n-th fails before it does anything."""

    def __init__(self, n: int) -> None:
        self.left = n

    def pass_by(self, name: str) -> None:
        if name.startswith(CHANGES):
            if self.left == 0:
                self.left -= 1
                error = {"Error": {"Code": "InternalError", "Message": "no"}}
                raise ClientError(error, name)  # type: ignore[arg-type]
            self.left -= 1


class Failing:
    """A client with faults."""

    def __init__(self, client: Any, faults: Faults) -> None:
        self._client, self._faults = client, faults

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)
        if not callable(method) or name == "exceptions":
            return method

        def call(*args: Any, **options: Any) -> Any:
            self._faults.pass_by(name)
            return method(*args, **options)

        return call
