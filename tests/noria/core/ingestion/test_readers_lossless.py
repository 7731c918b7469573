"""Nothing is parsed away: what a number would not bring back stays a text; keys meet exactly."""

import io
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.contracts import Problem
from noria.core.cleansing.cleanse import cleanse
from noria.core.cleansing.joins import join_sources
from noria.core.column_types.type_inference import typed_column
from noria.core.ingestion.readers import read_file, read_table, read_tables
from noria.errors import DataError
from tests.support.examples import examples


def values(frame: pd.DataFrame, name: str) -> list[Any]:
    return [None if pd.isna(value) else value for value in frame[name]]


@pytest.mark.parametrize(
    ("texts", "read"),
    [
        (["1.10", "1.1"], ["1.10", "1.1"]),
        (["+5", "5"], ["+5", "5"]),
        (["1e3", "1000"], ["1e3", "1000"]),
        (["2", "2.0"], ["2", "2.0"]),
        (["1", "2"], [1, 2]),
        (["2.0", "3.5"], [2.0, 3.5]),
        (["True", "False"], ["True", "False"]),
        (["true", "false"], [True, False]),
        (["2024-01-05", "2024-01-06"], ["2024-01-05", "2024-01-06"]),
    ],
)
def test_a_column_whose_texts_count_is_numbers_only_without_loss(
    texts: list[str], read: list[object]
) -> None:
    content = "\n".join(["k,x", *(f"{text},1" for text in texts)]).encode()
    assert values(read_table(content, "t.csv", exact={"k"}), "k") == read


@given(
    st.lists(st.from_regex(r"[+-]?\d{1,25}(\.\d{1,3})?", fullmatch=True), min_size=1, max_size=9)
)
@examples(200)
def test_texts_of_a_key_are_always_told_apart(texts: list[str]) -> None:
    content = "\n".join(["k,x", *(f"{text},1" for text in texts)]).encode()
    read = read_table(content, "t.csv", exact={"k"})["k"]
    assert read.nunique() == len(set(texts))


@given(st.lists(st.from_regex(r"0?\d{1,25}", fullmatch=True), min_size=1, max_size=9))
@examples(200)
def test_whole_numbers_are_told_apart_without_a_contract(texts: list[str]) -> None:
    read = read_table("\n".join(["k", *texts]).encode(), "t.csv")["k"]
    assert read.nunique() == len(set(texts))


def test_codes_are_no_numbers_and_the_remedy_is_said() -> None:
    column = typed_column(read_table(b"depot,x\n0123,1\n123,2\n0123,3\n", "t.csv")["depot"])
    assert (column.kind, column.values.tolist()) == ("category", ["0123", "123", "0123"])
    assert "declare quality.columns.depot.type" in column.notes[0]


def test_amounts_beside_long_ones_stay_numbers() -> None:
    column = typed_column(read_table(b"x\n123456789012345678\n2.5\n1.5\n", "t.csv")["x"])
    assert (column.kind, column.values.tolist()) == ("number", [123456789012345678.0, 2.5, 1.5])


CARDS = [str(89490200001234567000 + n) for n in range(40)]
CONTRACT = {
    "name": "cards", "statement": "Will the holder of a card cancel?", "task": "binary",
    "target": "gone", "entity_key": ["card"], "quality": {"minimum_rows": 10},
    "sources": [
        {"name": "rows", "kind": "s3", "primary": True},
        {"name": "plans", "kind": "s3", "join": {"on": ["card"]}},
    ],
    "objective": {"metric": "roc_auc", "threshold": 0.5},
}  # fmt: skip


def parquet_of(**columns: pa.Array) -> bytes:
    sink = io.BytesIO()
    parquet.write_table(pa.table(columns), sink)
    return sink.getvalue()


PLANS: dict[str, tuple[str, bytes]] = {
    "CSV": ("p.csv", "\n".join(["card,fee", *(f"{c},{n}" for n, c in enumerate(CARDS))]).encode()),
    "JSON numbers": ("p.jsonl", "\n".join(
        f'{{"card": {c}, "fee": {n}}}' for n, c in enumerate(CARDS)).encode()),
    "JSON numbers with a fraction": ("p.jsonl", "\n".join(
        f'{{"card": {c}.0, "fee": {n}}}' for n, c in enumerate(CARDS)).encode()),
    "JSON texts": ("p.jsonl", "\n".join(
        f'{{"card": "{c}", "fee": {n}}}' for n, c in enumerate(CARDS)).encode()),
    "Parquet decimals": ("p.parquet", parquet_of(
        card=pa.array([Decimal(c) for c in CARDS], pa.decimal128(38, 0)), fee=pa.array(range(40)))),
    "Parquet texts": ("p.parquet", parquet_of(card=pa.array(CARDS), fee=pa.array(range(40)))),
}  # fmt: skip


@pytest.mark.parametrize("plans", PLANS)
def test_each_of_many_digits_finds_its_own_row(plans: str) -> None:
    problem = Problem.parse(CONTRACT)
    rows = "\n".join(["card,gone", *(f"{c},{'yn'[n % 2]}" for n, c in enumerate(CARDS))]).encode()
    frames = {
        "rows": read_table(rows, "r.csv", exact={"card"}),
        "plans": read_table(PLANS[plans][1], PLANS[plans][0], exact={"card"}),
    }
    joined = join_sources(frames, problem)
    assert joined["fee"].tolist() == list(range(40))
    cleansing = cleanse(joined, problem)
    assert cleansing.verdict.evidence["dropped_columns"] == {}
    assert cleansing.accepted["card"].tolist() == CARDS


def test_codes_of_both_sides_meet_exactly() -> None:
    rows = read_table(b"card,gone\n0123,y\n123,n\n7,y\n", "r.csv", exact={"card"})
    plans = read_table(b"card,fee\n123,1\n0123,2\n007,3\n", "p.csv", exact={"card"})
    joined = join_sources({"rows": rows, "plans": plans}, Problem.parse(CONTRACT))
    assert values(joined, "fee") == [2, 1, None]


def test_numbers_written_otherwise_meet_a_column_of_numbers() -> None:
    rows = read_table(b"card,gone\n1.0,y\n2.50,n\n1e3,y\n", "r.csv", exact={"card"})
    plans = pd.DataFrame({"card": [1.0, 2.5, 1000.0], "fee": [1, 2, 3]})
    joined = join_sources({"rows": rows, "plans": plans}, Problem.parse(CONTRACT))
    assert values(joined, "fee") == [1, 2, 3]


def test_decimals_stay_until_they_are_features() -> None:
    cents = parquet_of(x=pa.array([Decimal("0.10"), Decimal("2.50")], pa.decimal128(12, 2)))
    mills = parquet_of(x=pa.array([Decimal("0.125")], pa.decimal128(10, 3)))
    assert read_file(cents, "a.parquet").table.schema.field("x").type == pa.decimal128(12, 2)
    assert values(read_tables([("a.parquet", cents), ("b.parquet", mills)]), "x") == [
        0.1, 2.5, 0.125,
    ]  # fmt: skip
    wide = parquet_of(x=pa.array([Decimal("123456789012345678.01")], pa.decimal128(38, 2)))
    assert values(read_table(wide, "c.parquet"), "x") == ["123456789012345678.01"]


def test_dictionaries_that_differ_by_file_are_one_column() -> None:
    one = parquet_of(x=pa.array(["a", "b"]).dictionary_encode())
    two = parquet_of(x=pa.array(["c", "b"]).dictionary_encode())
    assert values(read_tables([("1.parquet", one), ("2.parquet", two)]), "x") == [
        "a",
        "b",
        "c",
        "b",
    ]


def test_an_index_of_pandas_and_columns_with_points_are_told_apart() -> None:
    sink = io.BytesIO()
    pd.DataFrame({"a.b": [1, 2], "a": [3, 4]}, index=np.array([7, 9])).to_parquet(sink)
    assert list(read_table(sink.getvalue(), "t.parquet").columns) == ["a.b", "a"]


def test_columns_without_plain_values_are_left_out_and_named() -> None:
    content = parquet_of(
        x=pa.array([1]), tags=pa.array([["a"]]), photo=pa.array([b"\xff\xd8"], pa.binary())
    )
    file = read_file(content, "t.parquet")
    assert (file.table.column_names, sorted(file.left_out)) == (["x"], ["photo", "tags"])
    with pytest.raises(DataError, match=r"'tags' is nested and column 'photo' .*features\.exclude"):
        read_table(content, "t.parquet")


BRAZIL = "preço;peças;peso;razão\nR$ 1.234,50;3.128;1.500;0.125\nR$ 9,90;17;80.25;0.250\n"


def test_points_separate_thousands_beside_decimal_commas() -> None:
    """GIVEN amounts with decimal commas THEN a point is no decimal one where it could be none."""
    frame = pd.concat([read_table(BRAZIL.encode(), "t.csv")] * 40, ignore_index=True)
    assert values(frame, "peças")[:2] == ["3.128", "17"]
    assert values(frame, "peso")[:2] == [1.5, 80.25]
    assert values(frame, "razão")[:2] == [0.125, 0.25]
    contract = {
        "name": "boxes", "statement": "How heavy is it?", "task": "regression", "target": "peso",
        "sources": [{"name": "t", "kind": "s3", "primary": True}],
        "objective": {"metric": "mae", "threshold": 1}, "quality": {"minimum_rows": 10},
    }  # fmt: skip
    found = cleanse(frame.assign(row=range(80)), Problem.parse(contract))
    assert found.accepted["peças"].tolist()[:2] == [3128, 17]
    told = "\n".join(found.verdict.reasons)
    assert "as preço has decimal commas: where they are decimal points, declare" in told
    pointed = {"minimum_rows": 10, "columns": {"peças": {"decimal": "."}}}
    found = cleanse(frame.assign(row=range(80)), Problem.parse(contract | {"quality": pointed}))
    assert found.accepted["peças"].tolist()[:2] == [3.128, 17]
    empty = {"minimum_rows": 10, "columns": {"caixas": {"type": "int"}}}
    no_texts = frame.assign(row=range(80), caixas=pd.Series([None] * 80, dtype="str"))
    found = cleanse(no_texts, Problem.parse(contract | {"quality": empty}))
    assert found.verdict.decision == "usable"
    assert found.accepted["peças"].tolist()[:2] == [3128, 17]


def test_marks_beside_amounts_change_no_convention() -> None:
    rows = [f"R$ {n},50;{n}.{n:03}" for n in range(1, 200)]
    content = "\n".join(["preço;peças", *rows, "NA;NA"]).encode()
    assert values(read_table(content, "t.csv"), "peças")[:2] == ["1.001", "2.002"]


@pytest.mark.parametrize("other", ["a,b", "1,234", "R$ 5", "1.5", "x1,5"])
def test_a_point_alone_is_decimal(other: str) -> None:
    content = f'other\tpieces\n"{other}"\t3.128\n"{other}"\t17\n'.encode()
    assert values(read_table(content, "t.csv"), "pieces") == [3.128, 17]
