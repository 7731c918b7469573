"""The tests themselves: each can fail, and each lies where the code lies that it tests."""

from pathlib import Path

import pytest

from tests.support.vacuous_asserts import vacuous_asserts
from tests.support.workers import group_of

TESTS = Path(__file__).parent
PACKAGE = TESTS.parent / "layers" / "noria" / "python" / "noria"
FILES = sorted(TESTS.rglob("test_*.py"))


def test_suite_has_no_assert_that_cannot_fail() -> None:
    assert len(FILES) > 100
    found = {file: vacuous_asserts(file.read_text()) for file in FILES}
    assert [
        f"{file.relative_to(TESTS)}:{one}" for file, problems in found.items() for one in problems
    ] == []


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("assert a, b == c", "2: the message is a comparison"),
        ("assert all(x > 1 for x in found)", "2: nothing says that 'found' is not empty"),
        ("for x in found.values():\n        assert x", "2: nothing says that 'found.values()'"),
        ("found = [x for x in y if x]\n    for x in found:\n        assert x", "3: nothing says"),
        ("for x in found:\n        assert len(found) > x", "2: nothing says that 'found'"),
        ("for x in []:\n        assert x", "2: nothing says that '[]' is not empty"),
    ],
)
def test_vacuous_asserts_are_found(body: str, problem: str) -> None:
    [found] = vacuous_asserts(f"def test_it(a, b, c, y):\n    {body}\n")
    assert found.startswith(problem)


@pytest.mark.parametrize(
    "body",
    [
        "assert a, 'why'",
        "assert found\n    assert all(x > 1 for x in found)",
        "for x in sorted(found):\n        assert x\n    assert len(found) == 3",
        "for x in (1, 2):\n        assert x",
        "for x, y in enumerate(range(3)):\n        assert x == y",
        "some = {'a': 1}\n    for x in some.values():\n        assert x",
        "for x in TABLE.items():\n        assert x",
        "for x in listed(a):\n        assert x",
    ],
)
def test_vacuous_asserts_leave_sound_ones_alone(body: str) -> None:
    helper = "def listed(a):\n    assert a\n    return a\n"
    assert vacuous_asserts(f"{helper}def test_it(a, found):\n    {body}\n") == []


@pytest.mark.parametrize(
    ("nodeid", "group"),
    [
        ("tests/e2e/test_lineage.py::test_it[a::b]", "tests/e2e/"),
        ("tests/local/test_http.py::TestIt::test_it", "tests/local/"),
        ("tests/noria/aws/test_s3.py::TestIt::test_it[1]", "tests/noria/aws/test_s3.py"),
        ("tests/e2e/test_examples.py::test_it", "tests/e2e/test_examples.py"),
    ],
)
def test_workers_share_no_cloud_and_no_file(nodeid: str, group: str) -> None:
    assert group_of(nodeid) == group


def test_layout_of_the_tests_is_that_of_the_package() -> None:
    """A test's name begins with the name of a module, or of a room, where the test lies."""
    mirrored = [file for file in FILES if TESTS / "noria" in file.parents]
    assert len(mirrored) > 50
    assert [str(file.relative_to(TESTS)) for file in mirrored if not _mirrors(file)] == []


def _mirrors(file: Path) -> bool:
    room = PACKAGE / file.parent.relative_to(TESTS / "noria")
    named = file.stem.removeprefix("test_")
    units = [one.stem for one in room.iterdir() if one.suffix == ".py" or one.is_dir()]
    return any(named == unit or named.startswith(f"{unit}_") for unit in (*units, room.name))
