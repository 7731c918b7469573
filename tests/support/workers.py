"""Which tests one worker of pytest-xdist runs together, and which are handed out first."""

import pytest
from xdist.scheduler import LoadScopeScheduling

# The tests of a local cloud share it: starting one and deploying to it is slow.
ONE_CLOUD = ("tests/e2e/", "tests/canary/", "tests/local/")
# These start one of their own, by the command line.
OWN_CLOUD = ("tests/e2e/test_examples.py", "tests/e2e/test_extending.py")
# Longest first, so that no worker ends alone with a long one; what stands nowhere comes last.
LONGEST_FIRST = (
    "tests/e2e/",
    "tests/canary/",
    "tests/functions/",
    "tests/local/",
    "tests/noria/core/",
    "tests/noria/feature_store/",
)


class SharedFixtures(LoadScopeScheduling):  # type: ignore[misc]
    """Hand out file by file, for slow fixtures are made per file, and a cloud's tests as one.

    Marks of `xdist_group` would say the same, but xdist 3.8 writes them where pytest 9.2 does not
    read them.
    """

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def group_of(nodeid: str) -> str:
    """The name of the tests that are kept together."""
    file = nodeid.partition("::")[0]
    cloud = next((folder for folder in ONE_CLOUD if nodeid.startswith(folder)), None)
    return file if cloud is None or file in OWN_CLOUD else cloud


def order(items: list[pytest.Item]) -> None:
    """Bring tests into the order in which workers ask for them; within a group it stays."""
    items.sort(key=lambda item: _turn(item.nodeid))


def _turn(nodeid: str) -> int:
    turns = (turn for turn, start in enumerate(LONGEST_FIRST) if nodeid.startswith(start))
    return next(turns, len(LONGEST_FIRST))
