"""Prefixes of delivery streams, as Firehose documents them."""

from datetime import UTC, datetime

import pytest

from infra.local.firehose.patches import object_prefix

AT = datetime(2013, 4, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("p/", "p/2013/04/24/12/"),
        ("p/date=!{timestamp:yyyy-MM-dd}/", "p/date=2013-04-24/"),
        ("!{timestamp:'y='yyyy'/h='HH}/", "y=2013/h=12/"),
    ],
)
def test_object_prefixes(prefix: str, expected: str) -> None:
    assert object_prefix(prefix, AT) == expected
