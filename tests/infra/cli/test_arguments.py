"""Arguments: what is refused, and with which words; contracts rewritten for a local run."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.cli.data import month_range
from infra.cli.errors import UsageMistakeError
from infra.cli.files import with_files
from infra.cli.main import app
from infra.cli.options import json_object, source_files
from noria.contracts import Problem

PROBLEM = Problem.parse(
    {
        "name": "flights",
        "statement": "Will this flight arrive late?",
        "task": "binary",
        "target": "late",
        "sources": [
            {"name": "flights", "kind": "s3", "format": "csv", "primary": True},
            {
                "name": "airlines",
                "kind": "http",
                "url": "https://example.org/airlines.csv",
                "join": {"on": ["carrier"]},
            },
        ],
        "objective": {"metric": "roc_auc", "threshold": 0.6},
    }
)


def test_data_replaces_a_source_of_any_kind() -> None:
    files = {"flights": [Path("a.csv")], "airlines": [Path("b.csv")]}
    sources = with_files(PROBLEM, files).sources
    assert [source.kind for source in sources] == ["s3", "s3"]
    assert sources[1].join == PROBLEM.sources[1].join


def test_a_source_with_its_own_address_needs_no_file() -> None:
    sources = with_files(PROBLEM, {"flights": [Path("a.csv")]}).sources
    assert [source.kind for source in sources] == ["s3", "http"]


@pytest.mark.parametrize(
    ("file", "expected"),
    [("a.parquet", "parquet"), ("a.CSV.gz", "csv"), ("a.jsonl", "json"), ("noname", "csv")],
)
def test_the_files_suffix_says_the_format(file: str, expected: str) -> None:
    assert with_files(PROBLEM, {"flights": [Path(file)]}).primary.format == expected


def test_a_source_without_a_file_is_named() -> None:
    with pytest.raises(UsageMistakeError, match="--data flights=FILE"):
        with_files(PROBLEM, {"airlines": [Path("b.csv")]})


def test_a_file_of_no_source_names_the_nearest() -> None:
    with pytest.raises(UsageMistakeError, match="did you mean 'flights'"):
        with_files(PROBLEM, {"flihgts": [Path("a.csv")]})


def test_files_are_gathered_by_source(tmp_path: Path) -> None:
    file = tmp_path / "a=b.csv"
    file.write_text("x\n1\n")
    assert source_files([f"a={file}", f"a={file}"]) == {"a": [file, file]}


@pytest.mark.parametrize("given", ["flights", "=x.csv", "flights=", "flights=/nowhere/x.csv"])
def test_files_that_cannot_be(given: str) -> None:
    with pytest.raises(UsageMistakeError, match=r"SOURCE=FILE|no file"):
        source_files([given])


@pytest.mark.parametrize("text", ["{", "[]", "@/nowhere.json"])
def test_input_is_a_json_object(text: str) -> None:
    with pytest.raises(UsageMistakeError, match="--input"):
        json_object(text, "--input")


def test_input_may_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "input.json"
    file.write_text('{"as_of": "2013-04-01"}')
    assert json_object(f"@{file}", "--input") == {"as_of": "2013-04-01"}


@pytest.mark.parametrize(("text", "months"), [("1-3", [1, 2, 3]), ("4", [4]), ("12-12", [12])])
def test_months(text: str, months: list[int]) -> None:
    assert list(month_range(text)) == months


@pytest.mark.parametrize("text", ["0-3", "3-1", "11-13", "march", ""])
def test_months_that_cannot_be(text: str) -> None:
    with pytest.raises(UsageMistakeError, match="--months"):
        month_range(text)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["data", "push", "flights"], "SOURCE=FILE"),
        (["data", "push", "flights", "--sample", "trains"], "flights"),
        (["demo", "--months", "7"], "1 to 6"),
        (["local", "run", "none.yaml", "--data", "x"], "SOURCE=FILE"),
        (["predict", "flights", "/nowhere.json"], "no file"),
    ],
)
def test_usage_mistakes_are_status_2(arguments: list[str], words: str) -> None:
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 2
    assert words in done.stderr
