"""Which tests one worker of pytest-xdist runs together, and which are handed out first."""

from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
# The tests of a local cloud share it: starting one and deploying to it is slow.
ONE_CLOUD = ("e2e", "local")
# The rest goes file by file, for their fixtures are made per file. Longest first, so that no worker
# ends alone with a long one; what stands nowhere comes last, in the order of its name.
LONGEST_FIRST = (
    "e2e",
    "functions",
    "noria/core",
    "local",
    "noria/feature_store",
)


def group_of(file: Path) -> str:
    """The name of the tests that are kept together."""
    inside = file.relative_to(TESTS)
    return inside.parts[0] if inside.parts[0] in ONE_CLOUD else inside.with_suffix("").as_posix()


def hand_out(items: list[pytest.Item]) -> None:
    """Group the tests, and bring them into the order in which workers ask for them."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group_of(item.path)))
    items.sort(key=lambda item: _turn(group_of(item.path)))


def _turn(group: str) -> int:
    starts = (n for n, start in enumerate(LONGEST_FIRST) if group.startswith(start))
    return next(starts, len(LONGEST_FIRST))
