"""`noria predict --batch`: what is refused before anything is uploaded or started."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.infra.cli.stack import Made, made_stack, noria
from tests.infra.cli.test_data import FLIGHTS


@pytest.fixture
def stack() -> Iterator[Made]:
    """A stack of an earlier version of Noria, which has no batch machine."""
    with made_stack(FLIGHTS) as made:
        yield made


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file that could be answered."""
    found = tmp_path / "rows.csv"
    found.write_text("distance\n1\n")
    return found


def refused(*arguments: str) -> str:
    done = noria("predict", "flight-delays", *arguments)
    assert done.exit_code in (1, 2), done.output
    return done.stderr.strip()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            "s3://other/batch-incoming/a/",
            "the stack reads below s3://flight-delays-bucket/batch-in",
        ),
        ("s3://flight-delays-bucket/incoming/a/", "copy the files there (`aws s3 cp --recursive"),
        ("s3://flight-delays-bucket/batch-incoming/", "NAME/`), or name local ones"),
        ("nowhere", "--batch 'nowhere': there is no such file"),
    ],
)
def test_what_cannot_be_answered(stack: Made, given: str, told: str) -> None:
    assert told in refused("--batch", given)
    assert stack.keys("batch-incoming/") == []


def test_an_empty_folder_and_a_file_for_the_answers(
    stack: Made, tmp_path: Path, file: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / ".hidden").write_text("x")
    assert "there is no file in it" in refused("--batch", str(empty))
    assert f"--output '{file}' is a file" in refused("--batch", str(file), "--output", str(file))
    assert stack.keys("batch-incoming/") == []


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["row.json", "--batch", "x"],
        ["row.json", "--output", "x"],
        ["--batch", "x", "--explain"],
    ],
)
def test_one_row_or_a_batch(stack: Made, arguments: list[str]) -> None:
    assert refused(*arguments).startswith("give ROWS, or --batch FILES, which --output goes with")


def test_a_stack_without_the_machine_says_so(stack: Made, file: Path) -> None:
    """GIVEN the same file twice THEN it is uploaded once, to a place that its bytes name."""
    for _ in range(2):
        assert "has no BatchMachineArn among its outputs" in refused("--batch", str(file))
    [key] = stack.keys("batch-incoming/")
    assert key.endswith("/rows.csv")
