"""The latest values in DynamoDB: the same as the files' at the same instant, and never older."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import numpy as np
import pandas as pd
import pytest

from noria.aws.feature_store import Catalogue, Files, OnlineTable
from noria.aws.feature_store.dynamodb_online import BATCH, FIRST_PAUSE, TRIES, Latest
from noria.aws.s3 import Store
from noria.core.feature_store.feature_set import FeatureSet, define
from noria.errors import FeatureError
from noria.feature_store.online import OnlineFeatures
from noria.feature_store.store import FeatureReference, FeatureStore, open_feature_store
from tests.support.feature_stack import make_online_table
from tests.support.stack_bucket import Serial

DAY = datetime(2024, 5, 1, tzinfo=UTC)
TABLE = "noria_test_online"
KINDS = define(
    name="kinds",
    entity_key=[{"name": "who", "kind": "text"}, {"name": "number", "kind": "integer"}],
    features=[
        {"name": "a_number", "kind": "number", "time_to_live": timedelta(days=20)},
        {"name": "an_integer", "kind": "integer"}, {"name": "a_flag", "kind": "flag"},
        {"name": "a_text", "kind": "text"}, {"name": "a_time", "kind": "time"},
    ],
)  # fmt: skip


@pytest.fixture
def dynamodb(s3: Serial) -> Serial:
    client = boto3.client("dynamodb", region_name="eu-west-1")
    make_online_table(client, TABLE)
    return Serial(client)


@pytest.fixture
def features(bucket: Store) -> Iterator[FeatureStore]:
    glue = boto3.client("glue", region_name="eu-west-1")
    glue.create_database(DatabaseInput={"Name": "noria_test"})
    with open_feature_store(Files(bucket), Catalogue(glue, "noria_test"), threads=1) as store:
        yield store


def history(rows: int = 400, seed: int = 5) -> pd.DataFrame:
    """Values of every kind with gaps, at random times, some late, of 30 entities."""
    random = np.random.default_rng(seed)
    days = pd.to_timedelta(random.permutation(rows * 3)[:rows] / 30, unit="D").as_unit("us")
    frame = pd.DataFrame(
        {
            "who": random.choice(["a", "b", 'c"], ["'], rows),
            "number": random.integers(0, 10, rows),
            "event_time": DAY + days, "created_time": DAY + days,
            "a_number": random.normal(size=rows) * 1e17,
            "an_integer": pd.array(random.integers(2**53, 2**62, rows), dtype="Int64"),
            "a_flag": pd.array(random.random(rows) > 0.5, dtype="boolean"),
            "a_text": random.choice(["x", "ü\n", ""], rows), "a_time": DAY - days,
        }
    )  # fmt: skip
    late = pd.to_timedelta(random.integers(0, 20, rows), unit="D").as_unit("us")
    frame["created_time"] += late
    for name in KINDS.features:
        frame[name.name] = frame[name.name].mask(random.random(rows) < 0.2)
    return frame


def entities() -> pd.DataFrame:
    whole = pd.MultiIndex.from_product([["a", "b", 'c"], [', "nobody"], range(10)])
    return whole.to_frame(index=False, name=["who", "number"])


@pytest.mark.parametrize("days", [3, 17, 30, 45, 55])
def test_online_and_offline_agree(features: FeatureStore, dynamodb: Serial, days: int) -> None:
    """GIVEN a load at an instant THEN both answer the same then, to the bit, gaps included."""
    kinds = features.register(KINDS)
    features.write(kinds, history(), run="first", created=DAY)
    online = OnlineFeatures(features, OnlineTable(dynamodb, TABLE, no_pause))
    at = DAY + timedelta(days=days)
    assert online.load(kinds, at=at) > 0
    offline = features.latest_features(entities(), FeatureReference("kinds"), at=at)
    served = online.latest_features(entities(), kinds, at=at)
    pd.testing.assert_frame_equal(served, offline, check_exact=True)
    assert offline.notna().any().all()
    assert offline.isna().any().all()


def test_value_that_has_grown_too_old_is_missing_in_both(
    features: FeatureStore, dynamodb: Serial
) -> None:
    kinds, online = loaded(features, dynamodb, days=41)
    at = DAY + timedelta(days=60)
    served = online.latest_features(entities(), kinds, at=at)
    offline = features.latest_features(entities(), FeatureReference("kinds"), at=at)
    assert served["a_number"].notna().sum() < served["an_integer"].notna().sum()
    assert (served["a_number"].isna() >= offline["a_number"].isna()).all()


def test_an_older_load_overwrites_nothing(features: FeatureStore, dynamodb: Serial) -> None:
    """GIVEN loads that arrive in the wrong order THEN the newer values stay."""
    kinds, online = loaded(features, dynamodb, days=70)
    before = online.latest_features(entities(), kinds, at=DAY + timedelta(days=70))
    online.load(kinds, at=DAY + timedelta(days=20))
    after = online.latest_features(entities(), kinds, at=DAY + timedelta(days=70))
    pd.testing.assert_frame_equal(after, before)


def test_what_was_loaded_for_a_later_instant_stays(dynamodb: Serial) -> None:
    """GIVEN a correction, or rows that are gone THEN the load that knows last decides."""
    table = OnlineTable(dynamodb, TABLE, no_pause)
    assert table.load("t", [Latest(("a",), 5, 5, {"x": 1})], at=10) == 1
    assert table.load("t", [Latest(("a",), 4, 4, {"x": 2})], at=12) == 1
    assert table.load("t", [Latest(("a",), 6, 6, {"x": 3})], at=11) == 0
    assert table.read("t", [("a",)]) == [Latest(("a",), 4, 4, {"x": 2})]


def test_a_key_that_dynamodb_has_no_room_for(dynamodb: Serial) -> None:
    table = OnlineTable(dynamodb, TABLE, no_pause)
    long, other = ("\u4e2d" * 1_000,), ("\u4e2d" * 1_001,)
    table.load("t", [Latest(long, 1, 1, {"x": 1})], at=1)
    assert table.read("t", [long, other]) == [Latest(long, 1, 1, {"x": 1}), None]
    [item] = dynamodb.scan(TableName=TABLE)["Items"]
    assert len(item["entity"]["S"].encode()) < 2_048


def test_a_history_that_dynamodb_has_no_room_for(dynamodb: Serial) -> None:
    table = OnlineTable(dynamodb, TABLE, no_pause)
    with pytest.raises(FeatureError, match=r"entity a takes 4\d\d,\d+ bytes, .* fewer features"):
        table.load("t", [Latest(("a",), 1, 1, {}, bytes(400_000))], at=1)


def test_keys_do_not_run_together(dynamodb: Serial) -> None:
    table = OnlineTable(dynamodb, TABLE, no_pause)
    rows = [Latest(key, 1, 1, {"x": n}) for n, key in enumerate([("a", "bc"), ("ab", "c"), ("a",)])]
    table.load("t", rows, at=1)
    table.load("u", [Latest(("a",), 1, 1, {"x": 9})], at=1)
    assert table.read("t", [row.key for row in rows]) == rows


class TestThrottling:
    """DynamoDB answers a part, and leaves the rest to be asked for again."""

    def test_unprocessed_keys_are_asked_for_again(self, dynamodb: Serial) -> None:
        pauses: list[float] = []
        table = OnlineTable(Throttled(dynamodb, answered=7), TABLE, pauses.append)
        rows = [Latest((str(n),), 1, 1, {"x": n}) for n in range(BATCH + 20)]
        table.load("t", rows, at=1)
        keys = [row.key for row in rows[:40]] + [("nobody",), rows[3].key]
        assert table.read("t", keys) == [*rows[:40], None, rows[3]]
        assert len(pauses) == 5  # 41 different keys, 7 at a time
        assert [pause <= FIRST_PAUSE * 2**n for n, pause in enumerate(pauses)] == [True] * 5

    def test_more_keys_than_a_call_takes(self, dynamodb: Serial) -> None:
        table = OnlineTable(dynamodb, TABLE, no_pause)
        rows = [Latest((str(n),), 1, 1, {"x": n}) for n in range(BATCH * 2 + 1)]
        assert table.load("t", rows, at=1) == len(rows)
        assert table.read("t", [row.key for row in rows]) == rows

    def test_it_gives_up_in_words(self, dynamodb: Serial) -> None:
        pauses: list[float] = []
        table = OnlineTable(Throttled(dynamodb, answered=0), TABLE, pauses.append)
        with pytest.raises(FeatureError, match=r"left 2 keys .* unanswered 8 times"):
            table.read("t", [("a",), ("b",)])
        assert len(pauses) == TRIES - 1


def test_stack_without_a_table(dynamodb: Serial) -> None:
    with pytest.raises(FeatureError, match=r"no table 'none': .*features\.windows"):
        OnlineTable(dynamodb, "none", no_pause).read("t", [("a",)])


def loaded(features: FeatureStore, dynamodb: Any, days: int) -> tuple[FeatureSet, OnlineFeatures]:
    kinds = features.register(KINDS)
    features.write(kinds, history(), run="first", created=DAY)
    online = OnlineFeatures(features, OnlineTable(dynamodb, TABLE, no_pause))
    online.load(kinds, at=DAY + timedelta(days=days))
    return kinds, online


def no_pause(seconds: float) -> None:
    raise AssertionError("nothing was throttled")


class Throttled:
    """DynamoDB when it is asked too much: it answers the first few keys of each call."""

    def __init__(self, client: Any, answered: int) -> None:
        self._client, self._answered = client, answered

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def batch_get_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:
        [(table, asked)] = RequestItems.items()
        keys: Sequence[Any] = asked["Keys"]
        now, later = keys[: self._answered], keys[self._answered :]
        left = {table: {"Keys": later}} if later else {}
        if not now:
            return {"Responses": {}, "UnprocessedKeys": left}
        answer = self._client.batch_get_item(RequestItems={table: {"Keys": now}})
        return {"Responses": answer["Responses"], "UnprocessedKeys": left}
