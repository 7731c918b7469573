"""Texts that usually mean missing: values where the contract or the column says so."""

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest

from noria.core.cleansing.cleanse import Cleansing, cleanse
from noria.core.cleansing.dataset_builder import to_dataset
from noria.core.cleansing.joins import join_sources
from noria.core.ingestion.readers import read_table
from noria.core.reporting.report import render_report
from tests.support.data_frames import adds_up, numbers, problem


def as_read(frame: pd.DataFrame) -> pd.DataFrame:
    """The table after it was a CSV file."""
    return read_table(frame.to_csv(index=False).encode(), "rows.csv")


def spread(*texts: str, rows: int = 60) -> list[str]:
    return list(itertools.islice(itertools.cycle(texts), rows))


def cleansed(task: str = "binary", columns: Any = None, **texts: list[str]) -> Cleansing:
    """Sixty rows with columns of texts, as they come from a CSV file."""
    frame = as_read(numbers(60).assign(**texts))
    quality = {"minimum_rows": 10, "maximum_quarantined": 1, "columns": columns or {}}
    found = cleanse(frame, problem(task, quality=quality))
    assert adds_up(found, len(frame))
    return found


def told(found: Cleansing) -> str:
    return "\n".join(found.verdict.reasons)


@pytest.mark.parametrize(
    ("texts", "classes"),
    [
        (("None", "Insomnia", "None", "Sleep Apnea"), {"None": 30, "Insomnia": 15}),
        (("NA", "EMEA", "APAC"), {"NA": 20, "EMEA": 20, "APAC": 20}),
        (("None", "Mild", "Severe", "NaN"), {"None": 15, "Mild": 15, "Severe": 15}),
    ],
)
def test_a_frequent_word_among_its_kind_is_a_class(
    texts: tuple[str, ...], classes: dict[str, int]
) -> None:
    found = cleansed("multiclass", y=spread(*texts))
    assert found.verdict.decision == "usable"
    assert classes.items() <= found.verdict.evidence["classes"].items()
    mark = next(text for text in classes if text in ("None", "NA"))
    rows = classes[mark]
    assert f"target 'y': '{mark}' in {rows} rows is taken as a class" in told(found)
    assert f"declare quality.columns.y.missing_values: [{mark}]" in told(found)
    contract = problem("multiclass", quality={"minimum_rows": 10})
    dataset = to_dataset(found.accepted, contract, found.columns, found.spellings)
    assert mark in dataset.classes
    assert (dataset.target >= 0).all()


@pytest.mark.parametrize(
    ("task", "texts"),
    [
        ("multiclass", ("NULL", "Mild", "Severe")),  # a database wrote it
        ("multiclass", ("nan", "mild", "severe")),
        ("multiclass", ("NA", "A", "B", "C")),
        ("multiclass", ("NA", "1", "2", "3")),
        ("binary", ("None", "Yes", "No")),  # there are two classes already
    ],
)
def test_other_marks_mean_that_no_label_is_known(task: str, texts: tuple[str, ...]) -> None:
    found = cleansed(task, y=spread(*texts))
    assert found.verdict.decision == "usable"
    assert texts[0] not in found.verdict.evidence["classes"]
    unlabelled = found.verdict.evidence["unlabelled"]
    assert unlabelled == 60 // len(texts)
    if unlabelled > 12:
        assert f"{unlabelled} of 60 rows" in told(found)
        assert "have no target, more than quality.unlabelled_share 20.0%" in told(found)


def test_marks_that_the_contract_gives_are_no_class() -> None:
    texts = spread("None", "Mild", "Severe")
    found = cleansed("multiclass", {"y": {"missing_values": ["None"]}}, y=texts)
    assert found.verdict.evidence["unlabelled"] == 20
    assert set(found.verdict.evidence["classes"]) == {"Mild", "Severe"}


@pytest.mark.parametrize(
    "changes",
    [
        {"positive_class": "None"},
        {"quality": {"minimum_rows": 10, "columns": {"y": {"allowed": ["None", "Yes"]}}}},
        {"quality": {"minimum_rows": 10, "columns": {"y": {"aliases": {"None": ["nothing"]}}}}},
        {"quality": {"minimum_rows": 10, "checks": ["y in ['None', 'Yes', 'No']"]}},
        {"baseline": {"rule": "y == 'None'"}},
        {"quality": {"minimum_rows": 10, "columns": {"y": {"missing_values": []}}}},
    ],
)
def test_what_the_contract_names_is_a_value(changes: dict[str, Any]) -> None:
    """However rare it is."""
    frame = as_read(numbers(60).assign(y=["None"] * 2 + ["Yes"] * 58))
    found = cleanse(frame, problem(**changes))
    assert found.verdict.evidence["classes"] == {"Yes": 58, "None": 2}
    assert "taken as a class" not in told(found)


def test_a_literal_of_the_target_s_expression_is_a_value() -> None:
    frame = as_read(numbers(60).assign(illness=spread("None", "Flu", "", "Cold")))
    contract = problem(target={"name": "ill", "expression": "illness != 'None'"})
    found = cleanse(frame, contract)
    assert found.verdict.evidence["unlabelled"] == 15
    assert found.verdict.evidence["classes"] == {"true": 30, "false": 15}
    dataset = to_dataset(found.accepted, contract, found.columns, found.spellings)
    assert dataset.target.tolist() == [0, 1, 1] * 15


@pytest.mark.parametrize("texts", [("NA", "DE", "US"), ("NA", "1", "2")])
def test_allowed_values_are_never_missing(texts: tuple[str, ...]) -> None:
    rule = {"allowed": [int(text) if text.isdigit() else text for text in texts]}
    found = cleansed(columns={"country": {**rule, "required": True}}, country=spread(*texts))
    assert len(found.quarantined) == 0
    assert found.accepted["country"].value_counts().to_dict() == dict.fromkeys(texts, 20)
    assert found.verdict.evidence["missing_texts"] == {}


def test_allowed_truths_and_a_mark() -> None:
    """YAML reads yes and no as truths; beside a text the column is one of texts."""
    rule = {"allowed": [True, False, "NA"]}
    found = cleansed(columns={"smoker": rule}, smoker=spread("yes", "No", "NA"))
    assert len(found.quarantined) == 0
    assert found.accepted["smoker"].isna().sum() == 0


def test_switched_off_marks_leave_empty_cells_missing() -> None:
    texts = spread("NA", "None", "", "x", "#REF!")
    found = cleansed(columns={"code": {"missing_values": []}}, code=texts)
    assert found.accepted["code"].isna().sum() == 12
    assert set(found.accepted["code"].dropna()) == {"NA", "None", "x", "#REF!"}


def test_a_mark_among_codes_of_its_kind_is_told() -> None:
    found = cleansed(country=spread("NA", "DE", "US"), grade=spread("NA", "good", "bad"))
    assert "country: 'NA' in 20 rows was read as missing; where it is a value" in told(found)
    assert "declare missing_values: [] there" in told(found)
    assert "grade: 'NA'" not in told(found)
    assert found.verdict.evidence["missing_texts"]["country"] == {"NA": 20}
    verdict = {"state": "Transform", **found.verdict.model_dump(mode="json")}
    page = render_report({"verdicts": [verdict]})
    assert "Texts read as missing" in page


def test_a_column_that_marks_empty_says_so() -> None:
    found = cleansed(alley=spread("NA", "NA", "NA", "Gravel", "Paved"))
    assert "column 'alley' dropped: 60.0% missing" in told(found)
    assert "alley: 'NA' in 36 rows was read as missing" in told(found)


ERRORS = ["#DIV/0!", "#N/A", "#REF!", "#WERT!", "#BEZUG!", "#NV", "#VALEUR!", "#¡DIV/0!",
          "#ЗНАЧ!", "#NÚM!", "Err:502", "Loading...", "#######"]  # fmt: skip


def test_errors_of_a_spreadsheet_are_missing_and_counted() -> None:
    amounts = [f"{n / 7:.3f}" for n in range(60)]
    amounts[: len(ERRORS)] = ERRORS
    found = cleansed(ratio=amounts, shop=[*ERRORS, *spread("north", "south", rows=47)])
    for name, kind in (("ratio", "number"), ("shop", "category")):
        assert found.columns[name] == kind
        assert found.accepted[name].isna().sum() == len(ERRORS)
        assert (
            f"column '{name}': {len(ERRORS)} cells with an Excel error such as #DIV/0! or #N/A "
            "read as missing" in told(found)
        )


def test_tags_are_no_errors() -> None:
    tags = spread("#sale!", "#new?", "#N", "#1")
    assert set(cleansed(tag=tags).accepted["tag"]) == set(tags)


def test_amounts_with_marks_are_numbers_when_they_are_read() -> None:
    """So that they take no more memory than before; codes keep their texts."""
    table = pd.DataFrame({
        "amount": ["NA", *(f"{n}.5" for n in range(299))],
        "count": ["null", *map(str, range(299))],
        "code": spread("NA", "1", "2", rows=300),
        "zip": ["NA", *(f"0{n:04}" for n in range(299))],
    })  # fmt: skip
    kinds = {name: values.dtype.kind for name, values in as_read(table).items()}
    assert [kinds["amount"], kinds["count"]] == ["f", "f"]
    read = as_read(table)
    assert read["code"].tolist() == table["code"].tolist()
    assert read["zip"].tolist() == table["zip"].tolist()
    assert np.isnan(read["count"][0])
    assert read["count"][1:].tolist() == list(range(299))


def test_marks_join_nothing() -> None:
    rows = numbers(4).assign(shop=["NA", "a", "None", "b"])
    shops = pd.DataFrame({"shop": ["NA", "a", "NA", "b"], "size": [1, 2, 3, 4]})
    sources = [
        {"name": "rows", "kind": "s3", "primary": True},
        {"name": "shops", "kind": "s3", "join": {"on": ["shop"]}},
    ]
    joined = join_sources({"rows": rows, "shops": shops}, problem(sources=sources))
    assert joined["size"].fillna(0).tolist() == [0, 2, 0, 4]
    assert joined.attrs["joins"]["shops"]["without_key"] == 2
    named = {"columns": {"shop": {"allowed": ["NA", "a", "b", "None"]}}}
    once = shops.drop(index=2)
    joined = join_sources({"rows": rows, "shops": once}, problem(sources=sources, quality=named))
    assert joined["size"].fillna(0).tolist() == [1, 2, 0, 4]
