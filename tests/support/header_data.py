"""Tables of unusual headers, and their way through Transform and EngineerFeatures."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import boto3
import numpy as np
import pandas as pd
import pytest

from functions import engineer_features, transform
from noria.aws.s3 import Store
from noria.contracts import Problem
from tests.support.feature_stack import feature_stack
from tests.support.moto_session import aws_in_process

DATABASE = "noria_headers"
TARGET = "Will it fail?"
LONG = "How much do you agree that " * 8
#: By kinds: what the store, queries, readers and answers use themselves; case; length; signs.
HEADERS = [
    "run", "run_value", "event_time", "created_time", "prediction_time", "noria_number",
    "noria_until", "noria_lacks_x", "given", "held", "said", "counted", "stored", "incoming",
    "first", "payload", "chosen", "rank", "position", "value", "target", "k0", "v0", "c0", "c1",
    "entity", "known", "until", "file_row_number", "filename", "file_index", "rowid", "schema",
    "rows", "labels", "id", "model", "prediction", "probability", "broken_rule", "index", "self",
    "Temp", "temp", "TEMP", "é", "É", "e\u0301", "ß", "ss", "İ", "i", "ﬁeld", "field", "µ",
    LONG + "one", LONG + "two", "Вопрос " * 40 + "1", "Вопрос " * 40 + "2", "问" * 120,
    "Order Date", "order_date", "a.b", "a,b", "a:b", "a/b", "a\\b", "a=b", 'the "best"', "it's",
    "two\nlines", "tab\there", "100%", "{0}", "$x", "%s", "<b>", "&amp;", "#", "😀", "2nd", "-1",
    "__proto__", "__class__", "__index_level_0__", "class", "select", "true", "null", "nan", "1",
]  # fmt: skip


@contextmanager
def header_stack() -> Iterator[Store]:
    """A stack of its own, as handlers find it."""
    with aws_in_process(), pytest.MonkeyPatch.context() as monkeypatch:
        s3 = boto3.client("s3", region_name="eu-west-1")
        place = {"LocationConstraint": "eu-west-1"}
        s3.create_bucket(Bucket="headers", CreateBucketConfiguration=place)
        with feature_stack(Store(s3, "headers"), monkeypatch, DATABASE) as store:
            yield store


def table_of(headers: Sequence[str], rows: int = 80) -> pd.DataFrame:
    """A number for each header, and a target that the first decides."""
    rng = np.random.default_rng(7)
    numbers = {name: rng.normal(size=rows).round(3) for name in headers}
    frame = pd.DataFrame(numbers)
    frame[TARGET] = np.where(frame[headers[0]] > 0, "yes", "no")
    return frame


def contract_of(rule: str | None = None, **fields: Any) -> Problem:
    """A contract for such a table."""
    return Problem.parse(
        {
            "name": "headers", "statement": "Will this part fail its last test?", "task": "binary",
            "target": TARGET, "positive_class": "yes", "baseline": {"rule": rule},
            "sources": [{"name": "parts", "kind": "s3", "primary": True}],
            "objective": {"metric": "roc_auc", "threshold": 0.6}, "quality": {"minimum_rows": 20},
            **fields,
        }
    )  # fmt: skip


def stage(store: Store, name: str, frame: pd.DataFrame, problem: Problem) -> dict[str, Any]:
    """Hand a collected table to Transform and EngineerFeatures; returns Transform's answer."""
    store.put_json(f"runs/{name}/problem.json", problem.to_document())
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    folder = f"raw/parts/run={name}/"
    store.put(f"{folder}rows.parquet", buffer.getvalue())
    schema = {str(column): str(kind) for column, kind in frame.dtypes.items()}
    told = {"source": "parts", "rows": len(frame), "schema": schema, "files": []}
    store.put_json(f"{folder}provenance.json", told)
    event = {
        "state": "Transform", "execution": name, "started_at": "2026-11-24T00:00:00Z",
        "input": {
            "collected": [{"source": "parts", "rows": len(frame)}], "as_of": f"2026-11-{name}",
        },
    }  # fmt: skip
    answer = transform.handler(event, SimpleNamespace(memory_limit_in_mb="10240"))
    if answer["decision"] == "usable":
        engineer_features.handler({**event, "state": "EngineerFeatures"}, None)
    return answer
