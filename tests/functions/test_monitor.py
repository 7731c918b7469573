"""The monitor, tick by tick, with S3 and CloudWatch in process."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import numpy as np
import pytest
from botocore.awsrequest import AWSResponse

from functions import monitor
from noria.aws import clients
from noria.aws.s3 import Store
from noria.aws.version_pins import VersionPins
from noria.monitoring.monitor_tick import STATE, row_key
from noria.serving.log_records import new_ids
from tests.support import tiny_model
from tests.support.endpoint_function import make_endpoint
from tests.support.moto_session import aws_in_process
from tests.support.tiny_model import AS_OF, BUCKET, make_champion, probability, write_model

PROBLEM = {
    "name": "flight-delays", "statement": "Will this flight be late?", "task": "binary",
    "target": "late", "sources": [{"name": "flights", "kind": "s3", "primary": True}],
    "objective": {"metric": "roc_auc", "threshold": 0.6},
    "monitoring": {"drift": 0.2, "quality_floor": 0.6},
}  # fmt: skip


@pytest.fixture
def empty(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A stack's bucket without a champion."""
    monkeypatch.setenv("NORIA_BUCKET", BUCKET)
    monkeypatch.setenv("NORIA_NAMESPACE", "Noria/test")
    monkeypatch.setenv("NORIA_PROBLEM", json.dumps(PROBLEM))
    monkeypatch.setenv("NORIA_ENDPOINT_FUNCTION", "flights-endpoint")
    monkeypatch.setenv("NORIA_KEEPER", "flights-keeper")
    with aws_in_process():
        clients.client.cache_clear()
        make_endpoint("flights-endpoint")
        s3 = boto3.client("s3")
        s3.create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        yield Store(s3, BUCKET)
        clients.client.cache_clear()


@pytest.fixture
def store(empty: Store) -> Store:
    """A stack with a champion that learnt from one file of 2000 rows."""
    write_model(empty, "run-1")
    make_champion(empty, "run-1")
    etag = drop(empty, "first.csv", 2000)
    collected(empty, "run", [("first.csv", etag)], 2000)
    return empty


def drop(store: Store, name: str, rows: int) -> str:
    etag = store.put(f"incoming/flights/{name}", b"a,b\n" + b"1,2\n" * rows)
    return etag.strip('"')


def collected(store: Store, run: str, files: Sequence[tuple[str, str]], rows: int) -> None:
    listed = [
        {"name": name, "where": store.uri(f"incoming/flights/{name}"), "etag": etag}
        for name, etag in files
    ]
    source = {"source": "flights", "files": listed, "rows": rows}
    store.put_json(f"runs/{run}/collected.json", {"sources": [source]})


def tick(hours: float) -> dict[str, Any]:
    return monitor.handler({"time": (AS_OF + timedelta(hours=hours)).isoformat()}, None)


class Traffic:
    """Predictions and labels as Firehose leaves them."""

    def __init__(self, store: Store) -> None:
        self.store, self.number = store, 0

    def write(self, prefix: str, records: Sequence[dict[str, Any]]) -> str:
        self.number += 1
        lines = "".join(f"{json.dumps(record)}\n" for record in records)
        key = f"{prefix}/2013/04/01/00/{prefix}-{self.number:05}"
        self.store.put(key, lines.encode())
        return key

    def predict(
        self, rows: int, shift: float = 0, model: str = "run-1"
    ) -> list[tuple[str, float, bool]]:
        """Log predictions; returns id, score and what comes true of each."""
        self.number += 1
        data = tiny_model.training(rows, shift, self.number)
        distance = data.data["distance"].astype(float)
        ids = new_ids(rows, datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=self.number))
        scores = probability(distance).tolist()
        inputs = zip(distance.tolist(), data.data["carrier"].tolist(), strict=True)
        self.write(
            "predictions",
            [
                {
                    "prediction_id": name, "model_version": model, "score": score,
                    "inputs": {"distance": far, "carrier": carrier, "departure": "2013-04-01"},
                }
                for name, score, (far, carrier) in zip(ids, scores, inputs, strict=True)
            ],
        )  # fmt: skip
        return list(zip(ids, scores, (data.target == 1).tolist(), strict=True))

    def label(self, made: Sequence[tuple[str, float, bool]]) -> None:
        self.write("labels", [{"prediction_id": name, "value": late} for name, _, late in made])


@pytest.fixture
def traffic(store: Store) -> Traffic:
    return Traffic(store)


def published(hours: float) -> dict[str, float]:
    """The metrics stamped with a tick's time."""
    at = AS_OF + timedelta(hours=hours)
    cloudwatch = boto3.client("cloudwatch")
    found = {}
    for metric in cloudwatch.list_metrics(Namespace="Noria/test")["Metrics"]:
        assert metric["Dimensions"] == []
        points = cloudwatch.get_metric_statistics(
            Namespace="Noria/test", MetricName=metric["MetricName"], Period=60,
            StartTime=at, EndTime=at + timedelta(seconds=60), Statistics=["Maximum"],
        )["Datapoints"]  # fmt: skip
        for point in points:
            found[metric["MetricName"]] = point["Maximum"]
    return found


def test_without_champion_nothing_is_published(empty: Store) -> None:
    answer = tick(1)
    assert answer["decision"] == "no_model"
    assert published(1) == {}
    assert empty.keys("monitoring/") == []


def test_traffic_like_training_is_quiet(store: Store, traffic: Traffic) -> None:
    traffic.predict(1000)
    answer = tick(12)
    assert answer["decision"] == "quiet"
    values = published(12)
    assert values["Predictions"] == 1000
    assert values["Drift"] < 0.05
    assert values["ModelAge"] == pytest.approx(0.5)
    assert values["NewRows"] == 0
    assert "Quality" not in values


def test_an_endpoint_that_serves_another_model_is_told_and_mended(store: Store) -> None:
    """GIVEN an alias that a failed deployment moved back THEN the keeper is called, 1 published."""
    asked: list[str] = []

    def answer(params: dict[str, Any], **_: Any) -> tuple[AWSResponse, dict[str, Any]]:
        asked.append(params["url_path"] + params["body"].decode())
        return AWSResponse("", 202, {}, None), {"StatusCode": 202}

    clients.client("lambda").meta.events.register("before-call.lambda.Invoke", answer)
    tick(1)
    assert published(1)["ChampionMismatch"] == 0
    VersionPins(store, "flights-endpoint", "").pin("1", "run-0")
    assert tick(2)["decision"] == "quiet"
    assert published(2)["ChampionMismatch"] == 1
    (call,) = asked
    assert "flights-keeper" in call
    assert "the alias serves version 'run-0' by function version 1, but" in call


def test_a_tick_goes_on_where_nobody_can_be_asked_to_mend(store: Store, traffic: Traffic) -> None:
    """GIVEN no keeper THEN the mismatch is published, and live use is watched all the same."""
    VersionPins(store, "flights-endpoint", "").pin("1", "run-0")
    traffic.predict(1000, shift=1.5)
    assert tick(1)["decision"] == "drifted"
    assert published(1)["ChampionMismatch"] == 1


def test_shifted_traffic_drifts(store: Store, traffic: Traffic) -> None:
    traffic.predict(1000, shift=1.5)
    answer = tick(1)
    assert answer["decision"] == "drifted"
    assert published(1)["Drift"] > 0.2
    assert published(1)["PredictionDrift"] > 0.2
    assert answer["evidence"]["columns"]["distance"] > 0.2
    assert answer["evidence"]["columns"]["carrier"] < 0.05


def test_few_predictions_wait_until_there_are_enough(store: Store, traffic: Traffic) -> None:
    traffic.predict(150, shift=1.5)
    assert tick(1)["evidence"]["drift"] is None
    assert "Drift" not in published(1)
    traffic.predict(150, shift=1.5)
    answer = tick(2)
    assert answer["decision"] == "drifted"
    assert answer["evidence"]["compared"] == 300
    assert published(2)["Predictions"] == 150
    assert tick(3)["evidence"]["compared"] == 0


def test_an_event_delivered_twice_publishes_the_same(store: Store, traffic: Traffic) -> None:
    made = traffic.predict(400)
    traffic.label(made)
    first = tick(1)
    state = store.get(STATE)
    traffic.predict(400, shift=3)
    assert tick(1) == first
    assert store.get(STATE) == state
    assert published(1)["Drift"] == pytest.approx(first["evidence"]["drift"])


def test_a_tick_that_was_committed_but_not_recorded_is_recorded(
    store: Store, traffic: Traffic
) -> None:
    traffic.predict(400)
    first = tick(1)
    store.delete(row_key(AS_OF + timedelta(hours=1)))
    traffic.predict(400, shift=3)
    assert tick(1) == first
    assert store.keys("monitoring/2013") == [row_key(AS_OF + timedelta(hours=1))]


def test_a_row_of_the_table_is_one_line(store: Store, traffic: Traffic) -> None:
    traffic.predict(400)
    tick(1)
    content = store.get(row_key(AS_OF + timedelta(hours=1)))
    assert content.count(b"\n") == 1
    assert content.endswith(b"\n")
    row = json.loads(content)
    assert row["model_version"] == "run-1"
    assert row["predictions"] == 400
    visible = [key for key in store.keys("monitoring/") if key.rpartition("/")[2][0] != "_"]
    assert visible == [row_key(AS_OF + timedelta(hours=1))]


def test_labels_that_come_later_give_quality(store: Store, traffic: Traffic) -> None:
    first, second = traffic.predict(300), traffic.predict(300)
    assert tick(1)["evidence"]["quality"] is None
    traffic.predict(300)
    tick(2)
    traffic.label(first[:100])
    assert tick(25)["evidence"]["quality"] is None
    traffic.label([*first[100:], *second])
    answer = tick(49)
    assert answer["evidence"]["labels"] == 500
    pairs = [(truth, score) for _, score, truth in [*first, *second]]
    expected = _auc(pairs)
    assert published(49)["Quality"] == pytest.approx(expected, abs=1e-6)
    assert "Quality" not in published(25)
    low, high = _resampled(pairs)
    assert answer["evidence"]["quality_low"] == pytest.approx(low, abs=0.015)
    assert answer["evidence"]["quality_high"] == pytest.approx(high, abs=0.015)


def _resampled(pairs: Sequence[tuple[bool, float]]) -> tuple[float, float]:
    """The ends of the interval, by resampling of the test's own."""
    draw = np.random.default_rng(7)
    places = draw.integers(0, len(pairs), (500, len(pairs)))
    found = [_auc([pairs[place] for place in drawn]) for drawn in places]
    low, high = np.quantile(found, (0.025, 0.975))
    return float(low), float(high)


def _auc(pairs: Sequence[tuple[bool, float]]) -> float:
    yes = np.array([score for truth, score in pairs if truth])
    no = np.array([score for truth, score in pairs if not truth])
    return float(np.mean(yes[:, None] > no[None, :]))


def test_a_label_sent_twice_counts_once(store: Store, traffic: Traffic) -> None:
    made = traffic.predict(150)
    traffic.label(made)
    traffic.label(made)
    assert tick(1)["evidence"]["labels"] == 150
    traffic.label(made)
    answer = tick(2)
    assert answer["evidence"]["labels"] == 0
    assert answer["evidence"]["quality"] is None


def test_a_label_may_come_before_its_prediction(store: Store, traffic: Traffic) -> None:
    made = traffic.predict(250)
    (key,) = store.keys("predictions/")
    content = store.get(key)
    store.delete(key)
    traffic.label(made)
    assert tick(1)["evidence"]["labels_unmatched"] == 250
    store.put(key, content)
    answer = tick(2)
    assert answer["evidence"]["labels"] == 250
    assert answer["evidence"]["labels_unmatched"] == 0
    assert answer["evidence"]["quality"] is not None


def test_labels_without_prediction_are_forgotten_after_the_window(
    store: Store, traffic: Traffic
) -> None:
    made = traffic.predict(10)
    store.delete(*store.keys("predictions/"))
    traffic.label(made)
    tick(1)
    assert tick(24 * 29)["evidence"]["labels_unmatched"] == 10
    assert tick(24 * 31 + 1)["evidence"]["labels_unmatched"] == 0


def test_how_long_and_how_many_is_the_contracts(
    store: Store, traffic: Traffic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """GIVEN outcomes that take two months THEN labels and predictions wait for each other."""
    slow = {"label_delay": "60d", "minimum_predictions": 120, "minimum_labels": 100}
    told = PROBLEM | {"monitoring": {**PROBLEM.get("monitoring", {}), **slow}}
    monkeypatch.setenv("NORIA_PROBLEM", json.dumps(told))
    made = traffic.predict(150, shift=1.5)
    assert tick(1)["decision"] == "drifted"
    traffic.label(made)
    tick(24 * 61)
    assert "Quality" in published(24 * 61)
    traffic.label([("no such prediction", 0.5, True)])
    left = {day: tick(24 * day)["evidence"]["labels_unmatched"] for day in (62, 181, 183)}
    assert left == {62: 1, 181: 1, 183: 0}


def test_late_deliveries_with_earlier_keys_are_read(store: Store, traffic: Traffic) -> None:
    traffic.predict(300)
    tick(1)
    traffic.predict(300)
    last = store.keys("predictions/")[-1]
    store.put(last.replace("predictions-0", "predictions-000-late-0"), store.get(last))
    store.delete(last)
    assert tick(2)["evidence"]["predictions"] == 300


def test_only_the_champions_predictions_are_judged(store: Store, traffic: Traffic) -> None:
    traffic.predict(300)
    canary = traffic.predict(300, shift=3, model="run-2")
    traffic.label(canary)
    answer = tick(1)
    assert answer["evidence"]["predictions"] == 300
    assert answer["decision"] == "quiet"
    assert answer["evidence"]["labels"] == 0
    assert answer["evidence"]["labels_of_others"] == 300


def test_a_new_champion_starts_afresh(store: Store, traffic: Traffic) -> None:
    old = traffic.predict(150, shift=3)
    traffic.label(old[:100])
    tick(1)
    write_model(store, "run-2")
    make_champion(store, "run-2")
    traffic.predict(250, model="run-2")
    traffic.label(old[100:])
    answer = tick(2)
    assert answer["evidence"]["compared"] == 250
    assert answer["decision"] == "quiet"
    assert answer["evidence"]["labels_of_others"] == 50


def test_new_files_are_new_rows(store: Store, traffic: Traffic) -> None:
    drop(store, "second.csv", 500)
    assert tick(1)["evidence"]["new_rows"] == 500
    drop(store, "first.csv", 2300)
    assert tick(2)["evidence"]["new_rows"] == 800
    assert published(2)["NewRows"] == 800


def test_without_files_labels_are_new_rows(
    store: Store, traffic: Traffic, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = {"name": "flights", "kind": "http", "url": "https://example.org/a.csv",
              "primary": True}  # fmt: skip
    monkeypatch.setenv("NORIA_PROBLEM", json.dumps({**PROBLEM, "sources": [source]}))
    made = traffic.predict(300)
    traffic.label(made[:120])
    assert tick(1)["evidence"]["new_rows"] == 120
    traffic.label(made[100:200])
    assert tick(2)["evidence"]["new_rows"] == 200


def test_garbage_is_counted_and_passed_over(store: Store, traffic: Traffic) -> None:
    traffic.predict(300)
    store.put("predictions/2013/04/01/00/x", b'not json\n[1]\n\xff\n{"prediction_id": 5}\n\n')
    usual = {"prediction_id": "a", "model_version": "run-1", "inputs": {}}
    odd: list[Any] = [None, "0.5", [0.5, 0.5], True, float("nan")]
    traffic.write("predictions", [{**usual, "score": score} for score in odd])
    traffic.write("labels", [{"prediction_id": "x" * 99, "value": True}])
    answer = tick(1)
    assert answer["evidence"]["records_refused"] == 4 + 5 + 1
    assert answer["evidence"]["compared"] == 300


def test_one_class_of_labels_waits_for_the_other(store: Store, traffic: Traffic) -> None:
    made = traffic.predict(1000)
    late = [one for one in made if one[2]]
    traffic.label(late[:250])
    answer = tick(1)
    assert answer["evidence"]["quality"] is None
    assert any("one class" in reason for reason in answer["reasons"])
    traffic.label([one for one in made if not one[2]])
    assert tick(2)["evidence"]["quality"] is not None


@pytest.mark.parametrize(("task", "metric"), [("multiclass", "accuracy"), ("regression", "rmse")])
def test_other_tasks(empty: Store, monkeypatch: pytest.MonkeyPatch, task: str, metric: str) -> None:
    objective = {"metric": metric, "threshold": 0.5}
    monitoring = {"drift": 0.2}
    changed = {"task": task, "objective": objective, "monitoring": monitoring}
    monkeypatch.setenv("NORIA_PROBLEM", json.dumps({**PROBLEM, **changed}))
    write_model(empty, "run-1", getattr(tiny_model, f"{task}_signature")())
    make_champion(empty, "run-1", metric)
    traffic = Traffic(empty)
    data = tiny_model.training(300, 0, 5).data["distance"].astype(float).tolist()
    ids = new_ids(300, datetime(2026, 1, 1, tzinfo=UTC))
    scores: list[Any] = [x * x for x in data]
    truths: list[Any] = [score + 2 for score in scores]
    if task == "multiclass":
        scores = [[1 - p, p, 0] for p in probability(np.array(data)).tolist()]
        truths = ["b" if score[1] > 0.6 else "c" for score in scores]
    traffic.write(
        "predictions",
        [
            {"prediction_id": n, "model_version": "run-1", "score": s, "inputs": {"distance": x}}
            for n, s, x in zip(ids, scores, data, strict=True)
        ],
    )
    traffic.write(
        "labels",
        [{"prediction_id": n, "value": v} for n, v in zip(ids, truths, strict=True)],
    )
    evidence = tick(1)["evidence"]
    expected = 2 if task == "regression" else np.mean([score[1] > 0.6 for score in scores])
    assert evidence["quality"] == pytest.approx(expected)
    assert evidence["drift"] is not None


def test_a_tick_that_crashed_after_marking_labels_counts_them_again(
    store: Store, traffic: Traffic, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = traffic.predict(300)
    tick(1)
    traffic.label(made)

    class CrashError(Exception):
        pass

    def crash(*_: Any) -> bool:
        raise CrashError

    with monkeypatch.context() as patched:
        patched.setattr(Store, "replace", crash)
        with pytest.raises(CrashError):
            tick(2)
    answer = tick(3)
    assert answer["evidence"]["labels"] == 300
    assert answer["evidence"]["quality"] is not None
