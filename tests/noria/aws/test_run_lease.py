"""The run lease."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from noria.aws.run_lease import KEY, Lease, LeaseBook
from noria.aws.s3 import Store, encode

NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture
def leases(bucket: Store) -> LeaseBook:
    return LeaseBook(bucket)


def test_the_first_holds_it_until_it_gives_it_back(leases: LeaseBook) -> None:
    assert leases.current() == Lease()
    assert leases.acquire("one", NOW).holder == "one"
    assert leases.acquire("two", NOW + timedelta(hours=1)).holder == "one"
    leases.release("one")
    assert leases.current().holder is None
    assert leases.acquire("two", NOW + timedelta(hours=1)).holder == "two"


def test_a_repeated_delivery_holds_it_already(leases: LeaseBook) -> None:
    leases.acquire("one", NOW)
    again = leases.acquire("one", NOW + timedelta(minutes=1))
    assert (again.holder, again.expires_at) == ("one", NOW + timedelta(hours=12, minutes=1))
    leases.release("one")
    leases.release("one")
    assert leases.current() == Lease()


def test_nobody_gives_back_what_another_holds(leases: LeaseBook) -> None:
    leases.release("one")
    leases.acquire("one", NOW)
    leases.release("two")
    assert leases.current().holder == "one"


@pytest.mark.parametrize(("hours", "holder"), [(11.99, "dead"), (12, "next"), (99, "next")])
def test_a_holder_that_died_loses_it(leases: LeaseBook, hours: float, holder: str) -> None:
    leases.acquire("dead", NOW)
    assert leases.acquire("next", NOW + timedelta(hours=hours)).holder == holder


def test_a_lost_reply_does_not_lose_the_lease(bucket: Store, s3: Any) -> None:
    s3.repeats = True
    leases = LeaseBook(bucket)
    assert leases.acquire("one", NOW).holder == "one"
    leases.release("one")
    assert leases.acquire("two", NOW).holder == "two"


@pytest.mark.parametrize("released", [True, False])
def test_the_one_between_reading_and_writing_wins(bucket: Store, s3: Any, released: bool) -> None:
    if released:
        bucket.put(KEY, encode(Lease().model_dump(mode="json")))
    rival = Lease(holder="rival", expires_at=NOW + timedelta(hours=1))

    def interfere(name: str) -> None:
        s3.after = lambda name: None
        bucket.put(KEY, encode(rival.model_dump(mode="json")))

    if released:
        s3.after = interfere
    else:
        bucket.put(KEY, encode(rival.model_dump(mode="json")))
    assert LeaseBook(bucket).acquire("one", NOW) == rival
    assert LeaseBook(bucket).current() == rival


@pytest.mark.parametrize("before", [None, "expired", "released"])
def test_one_of_many_racers_holds_it(leases: LeaseBook, before: str | None) -> None:
    if before:
        leases.acquire("old", NOW - timedelta(days=1))
    if before == "released":
        leases.release("old")
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda n: (str(n), leases.acquire(str(n), NOW)), range(24)))
    holders = Counter(lease.holder for _, lease in answers)
    assert len(holders) == 1
    assert [name for name, lease in answers if lease.holder == name] == [leases.current().holder]
