"""Backfills in S3: what each is to do, and what of it is done, at keys that follow from its name.

A rule of the bucket deletes these documents after a month, which is longer than Step Functions
lets an execution be taken up again (14 days); until then the files that they name are kept.
"""

from typing import Any

from noria.aws.s3 import Store, encode

PREFIX = "features-backfills/"
PLAN = "plan"
FAILED = "-failed"


class Backfills:
    """The documents of one stack's backfills; of two writers of one the first counts."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def read(self, name: str, part: str = PLAN) -> dict[str, Any] | None:
        """A backfill's plan, or what one of its parts came to; None where there is none yet."""
        found: dict[str, Any] | None = self._store.get_json(_key(name, part), None)
        return found

    def write(
        self, name: str, document: dict[str, Any], part: str = PLAN, *, instead: bool = False
    ) -> dict[str, Any]:
        """Put a plan, or what a part came to, where there is none; returns what is there then.

        `instead` puts it in the place of what is there.
        """
        if instead:
            self._store.put_json(_key(name, part), document)
        else:
            self._store.put_if_absent(_key(name, part), encode(document))
        found: dict[str, Any] = self._store.get_json(_key(name, part))
        return found

    def fail(self, name: str, part: str, cause: str) -> None:
        """Say why a part could not be done, for who looks at the backfill from outside."""
        self._store.put_json(_key(name, part + FAILED), {"cause": cause})

    def has_file(self, key: str) -> bool:
        """Whether a part's file is there."""
        return self._store.keys(key) == [key]

    def runs(self) -> set[str]:
        """The names under which parts publish their rows, of all backfills that are remembered."""
        found = (key.removeprefix(PREFIX).partition("/") for key in self._store.keys(PREFIX))
        return {run_of(name, part.removesuffix(".json")) for name, _, part in found}


def run_of(name: str, part: str) -> str:
    """The name under which a backfill's part publishes its rows."""
    return f"{name}.{part}"


def _key(name: str, part: str) -> str:
    return f"{PREFIX}{name}/{part}.json"
