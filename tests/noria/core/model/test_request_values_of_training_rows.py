"""Rows of the training file, sent back as they stand: each is a request, and read as it was."""

import io
import json
from csv import DictReader
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

from noria.core.cleansing.cleanse import cleanse
from noria.core.cleansing.dataset_builder import to_dataset
from noria.core.data.dataset import Dataset
from noria.core.ingestion.readers import read_table
from noria.core.model.request_preprocessing import preprocess_column
from noria.core.model.row_reader import to_columns
from noria.core.model.signature import Field, Signature
from noria.core.monitoring.prediction_log import columns_of
from noria.core.statistics.drift import build_reference
from noria.core.training.signatures import signature_of
from noria.errors import RequestError
from tests.support.data_frames import problem

ROWS = 120


@dataclass
class Trained:
    """A table as it was read, and what training made of it."""

    frame: pd.DataFrame
    dataset: Dataset
    signature: Signature

    def field(self, name: str) -> Field:
        return next(field for field in self.signature.columns if field.name == name)

    def read(self, *values: Any, name: str = "x") -> list[Any]:
        """Values of one field, as the model gets them."""
        rows = [{name: value} for value in values]
        field = self.field(name)
        found: list[Any] = preprocess_column(field, to_columns(rows, self.signature)[name]).tolist()
        return found


def trained(content: bytes, file: str = "rows.csv", **contract: Any) -> Trained:
    frame = read_table(content, file)
    asked = problem(**contract)
    cleansing = cleanse(frame, asked)
    assert cleansing.verdict.decision == "usable", cleansing.verdict.reasons
    dataset = to_dataset(
        cleansing.accepted, asked, cleansing.columns, cleansing.spellings, cleansing.notations
    )
    made = signature_of(dataset.training, asked, "basic", "ridge", {})
    # As the endpoint has it: through the dataset's file and the signature's.
    again = signature_of(
        Dataset.from_bytes(dataset.to_bytes()).training, asked, "basic", "ridge", {}
    )
    assert again == made
    return Trained(frame, dataset, Signature.model_validate_json(made.model_dump_json()))


def csv(column: list[Any], name: str = "x", **others: list[Any]) -> bytes:
    """A table whose column repeats the given cells, beside a number and a target."""
    columns = {name: column} | others
    frame = pd.DataFrame({one: [cells[n % len(cells)] for n in range(ROWS)]
                          for one, cells in columns.items()})  # fmt: skip
    frame["n"] = np.arange(ROWS) % 17 + 0.5
    frame["y"] = np.where(np.arange(ROWS) % 3, "no", "yes")
    return frame.to_csv(index=False).encode()


def as_requests(content: bytes) -> list[dict[str, Any]]:
    """Rows of a CSV file as a client has them: what is a number is one, and nothing is null.

    Clients do not have the target yet.
    """
    return [
        {name: None if cell == "" else _number(cell) for name, cell in row.items() if name != "y"}
        for row in DictReader(io.StringIO(content.decode()))
    ]


def _number(cell: str) -> Any:
    for kind in (int, float):
        try:
            number = kind(cell)
        except ValueError:
            continue
        if str(number) == cell:
            return number
    return cell


def as_json(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a typed file as JSON has them: what is missing is null, times are texts."""
    rows: list[dict[str, Any]] = json.loads(
        frame.to_json(orient="records", date_format="iso", double_precision=15)
    )
    return rows


COLUMNS: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "yes and no": (["yes", "no", "yes", "no", ""], {}),
    "Y and N": (["Y", "N"], {}),
    "True and False": (["True", "False", "False"], {}),
    "true and false": (["true", "false", "false"], {}),
    "on and off": (["on", "off", "ON"], {}),
    "truths in other words": (
        ["wahr", "falsch"], {"type": "bool", "aliases": {"true": ["wahr"], "false": ["falsch"]}}
    ),
    "ones and zeros": ([1, 0, 0], {}),
    "declared truths of ones and zeros": ([1, 0, 0], {"type": "bool"}),
    "whole numbers": ([3, 70, 12, 5, 9], {}),
    "whole numbers as categories": ([2, 3, 4], {"type": "category"}),
    "halves as categories": ([0.5, 1.0, 1.5], {"type": "category"}),
    "truths as categories": (["true", "false"], {"type": "category"}),
    "codes": (["007", "A7", "12"], {"type": "category"}),
    "names": (["Oslo", "oslo ", "Rome", "NA", ""], {}),
    "names among numbers": (["A1", "12", "B2"], {}),
    "a mark": ([1.5, -999, 2.5, 3.5], {"type": "float", "missing_values": [-999]}),
    "a mark of names": (["Oslo", "?", "Rome"], {"type": "category", "missing_values": ["?"]}),
    "a mark that the contract names": (
        ["NA", "DE", "FR", ""], {"type": "category", "allowed": ["NA", "DE", "FR"]}
    ),
    "no marks": (["N/A", "Oslo", "Rome"], {"type": "category", "missing_values": []}),
    "a workbook's errors": (["#DIV/0!", "1.5", "2.5", "3.5"] * 2 + ["#N/A"], {"type": "float"}),
    "stray texts among numbers": ([str(n) for n in range(ROWS - 1)] + ["n.d."], {}),
    "decimal commas": (["1.234,50", "0,75", "12,5", "3"], {}),
    "declared decimal commas": (["1,5", "2", "3,25"], {"decimal": ","}),
    "currency": (["$1,234.50", "$0.75", "$12.50"], {}),
    "percent": (["12%", "7.5%", "99%"], {}),
    "units": (["5.2 mi", "3 km", "800 m"], {"unit": "km"}),
    "filled": ([1.5, "", 2.5], {"type": "float", "missing": "median"}),
    "days first": (["31.01.2024", "13.02.2024", "05.03.2024"], {}),
    "declared times": (["2024-31-01", "2024-13-02"], {"format": "%Y-%d-%m"}),
    "times of a zone": (["2024-01-31 17:00", "2024-07-13 05:30"], {"timezone": "Europe/Oslo"}),
    "milliseconds": ([1706720400000, 3600000, 1707811200000], {"format": "epoch_ms"}),
    "dates as numbers": ([20240131, 20240213, 20240305], {"format": "%Y%m%d"}),
    "times with a month's name": (["31 Jan 2024", "5 Mar 2024"], {}),
    "free text": (
        [f"the {n}th visitor said it was number {n * 7}" for n in range(ROWS)], {"type": "text"}
    ),
}  # fmt: skip


def trained_on(kind: str) -> tuple[bytes, Trained]:
    """A file with a column of a kind, and what training made of it."""
    cells, rule = COLUMNS[kind]
    content = csv(cells)
    columns = {"columns": {"x": rule}} if rule else {}
    return content, trained(content, quality={"minimum_rows": 10, **columns})


@pytest.mark.parametrize("kind", COLUMNS)
def test_a_row_of_the_training_file_is_read_as_it_was(kind: str) -> None:
    content, found = trained_on(kind)
    assert "x" in found.signature.names
    asked = to_columns(as_requests(content), found.signature)
    for field in found.signature.columns:
        read = preprocess_column(field, asked[field.name])
        np.testing.assert_array_equal(read, found.dataset.data[field.name], field.name)


@pytest.mark.parametrize("kind", COLUMNS)
def test_the_monitor_sees_what_the_model_saw(kind: str) -> None:
    content, found = trained_on(kind)
    rows = as_requests(content)
    reference = build_reference(found.dataset, np.zeros(len(rows)), {})
    seen = columns_of([{"inputs": row} for row in rows], reference, found.signature.columns)
    for name in reference.columns:
        np.testing.assert_array_equal(seen[name], found.dataset.data[name], name)


@pytest.mark.parametrize("file", ["rows.parquet", "rows.json"])
def test_typed_files_come_back_too(file: str) -> None:
    """GIVEN booleans, integers and times with types of their own."""
    numbers = np.arange(ROWS)
    frame = pd.DataFrame({
        "flag": numbers % 3 == 0, "whole": numbers % 7, "city": numbers % 4,
        "at": pd.Timestamp("2024-01-01") + pd.to_timedelta(numbers, unit="h"),
        "order": [f"o{n}" for n in numbers], "y": numbers % 2 == 0,
    })  # fmt: skip
    buffer = io.BytesIO()
    if file.endswith("json"):
        buffer.write(frame.to_json(orient="records", date_format="iso").encode())
    else:
        frame.to_parquet(buffer)
    rules = {"minimum_rows": 10, "columns": {"city": {"type": "category"}}}
    found = trained(buffer.getvalue(), file, quality=rules)
    asked = to_columns(as_json(found.frame.drop(columns="y")), found.signature)
    for field in found.signature.columns:
        read = preprocess_column(field, asked[field.name])
        np.testing.assert_array_equal(read, found.dataset.data[field.name], field.name)
    assert found.field("flag").type == "boolean"
    assert found.field("city").type == "integer"


def test_truths_are_taken_in_each_of_their_forms() -> None:
    found = trained(csv(["yes", "no"]))
    assert found.read(True, 1, 1.0, "yes", "YES", " yes", "true", "1") == [1.0] * 8
    assert found.read(False, 0, "no") == [0.0] * 3
    assert found.field("x").type == "boolean"
    for value in (7, 0.5, "perhaps", [True], -1):
        with pytest.raises(RequestError, match=r"row 0, field 'x': .*send true, false, '(yes|no)'"):
            found.read(value)


def test_ones_and_zeros_may_be_sent_as_truths_but_other_numbers_may_not() -> None:
    assert trained(csv([1, 0, 0])).read(True, False, 1) == [1.0, 0.0, 1.0]
    with pytest.raises(RequestError, match="True is not a number"):
        trained(csv([1, 0, 2])).read(True)


def test_whole_numbers_read_as_categories_have_one_spelling() -> None:
    found = trained(
        csv([2, 3, 4]), quality={"minimum_rows": 10, "columns": {"x": {"type": "category"}}}
    )
    assert found.read(2, "2", 2.0, "2.0", "2.00") == ["2"] * 5
    assert found.read(9, 2.5, "two") == ["9", "2.5", "two"]  # categories never seen
    names = trained(csv(["Oslo", "Rome"]))
    with pytest.raises(RequestError, match="2 is not a text"):
        names.read(2)


def test_a_mark_of_a_missing_value_is_missing_in_a_request_too() -> None:
    """GIVEN the usual marks, those of the contract, and one that the contract names as a value."""
    found = trained(csv(["Oslo", "Rome"]))
    assert found.read("NA", "n/a", "", "  ", "#N/A", "null", None) == [""] * 7
    rules = {"type": "float", "missing_values": [-999, "none"]}
    numbers = trained(csv([1.5, 2.5]), quality={"minimum_rows": 10, "columns": {"x": rules}})
    assert np.isnan(numbers.read(-999, -999.0, "none", "-999", "")).all()
    rules = {"type": "category", "allowed": ["NA", "DE"]}
    named = trained(csv(["NA", "DE"]), quality={"minimum_rows": 10, "columns": {"x": rules}})
    assert named.read("NA", "N/A", "DE") == ["NA", "", "DE"]


def test_numbers_among_other_texts_may_be_texts() -> None:
    found = trained(csv(["#DIV/0!", "1.5", "2.5"]), quality={"minimum_rows": 10})
    assert found.read("1.5", 1.5) == [1.5, 1.5]
    assert np.isnan(found.read("#DIV/0!")[0])


def test_codes_stay_apart() -> None:
    rules = {"minimum_rows": 10, "columns": {"x": {"type": "category"}}}
    found = trained(csv(["007", "A7", "12"]), quality=rules)
    assert found.read("007", "7", 12, 12.0, "12.0") == ["007", "7", "12", "12", "12.0"]


def test_numbers_are_taken_as_the_file_wrote_them_and_as_json_does() -> None:
    found = trained(csv(["1.234,50", "0,75", "12,5"]))
    assert found.read("1.234,50", 1234.5, "12,5", "-0,25") == [1234.5, 1234.5, 12.5, -0.25]
    with pytest.raises(RequestError, match=r"'12\.5' is not a number: send a number, a text such"):
        found.read("12.5")
    with pytest.raises(RequestError, match=r"'12\.5' is not a number: send a number or null"):
        trained(csv([1.5, 2.5])).read("12.5")


def test_times_are_taken_as_the_file_wrote_them_and_as_iso() -> None:
    found = trained(csv(["31.01.2024", "13.02.2024"]))
    noon = 1706702400
    assert found.read("31.01.2024 ", "2024-01-31", noon, "2024-01-31T12:00:00 +00:00") == [
        noon - 43200, noon - 43200, noon, noon
    ]  # fmt: skip
    with pytest.raises(RequestError, match=r"ISO 8601 .* in the form %d\.%m\.%Y"):
        found.read("31.13.2024")


def test_what_training_left_out_is_ignored_whatever_it_holds() -> None:
    """GIVEN an excluded column, an identifier and one of one value."""
    content = csv(["a", "b"], order=[f"id{n}" for n in range(ROWS)], same=["x"], late=[1.5, 2.5])
    found = trained(content, features={"exclude": ["late"]})
    assert set(found.signature.ignored) == {"order", "same", "late"}
    rows = [{"x": "a", "order": {"no": [1]}, "same": 1e999, "late": None}]
    assert to_columns(rows, found.signature)["x"].tolist() == ["a"]
    with pytest.raises(RequestError, match="row 1, field 'y': it is what the model predicts"):
        to_columns([*rows, {**rows[0], "y": "yes"}], found.signature)


def test_all_unknown_fields_are_told_at_once_with_the_nearest_names() -> None:
    found = trained(csv([1.5, 2.5], name="distance"))
    rows = [{"distance": 1}, {"distanse": 1, "colour": 2}, {"DISTANCE": 3}]
    with pytest.raises(RequestError) as caught:
        to_columns(rows, found.signature)
    told = str(caught.value)
    assert told.startswith("row 1: the model has no fields 'distanse' (did you mean 'distance'?), ")
    assert "'colour', 'DISTANCE' (did you mean 'distance'?); it knows distance, n" in told
