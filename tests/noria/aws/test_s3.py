"""The bucket facade: whole objects, conditional writes, listings."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from noria.aws.s3 import MissingObjectError, Store, encode, key_of
from noria.errors import ContentionError


def test_an_object_is_read_as_written(bucket: Store) -> None:
    etag = bucket.put("a/b.bin", b"\x00\xff", "application/x-test")
    assert bucket.get("a/b.bin") == b"\x00\xff"
    assert bucket.read("a/b.bin").etag == etag
    assert key_of(bucket.uri("a/b.bin")) == "a/b.bin"
    bucket.delete("a/b.bin")
    bucket.delete("a/b.bin")
    with pytest.raises(MissingObjectError, match=r"a/b\.bin"):
        bucket.read("a/b.bin")


def test_json_has_a_default_only_where_one_is_given(bucket: Store) -> None:
    bucket.put_json("x.json", {"b": 1, "a": [None, "é"]})
    assert bucket.get_json("x.json", "other") == {"a": [None, "é"], "b": 1}
    assert bucket.get_json("absent.json", None) is None
    with pytest.raises(MissingObjectError):
        bucket.get_json("absent.json")


def test_other_errors_are_not_absence(s3: Any) -> None:
    with pytest.raises(ClientError, match="NoSuchBucket"):
        Store(s3, "no-such-bucket").get_json("x.json", None)
    with pytest.raises(ClientError, match="NoSuchBucket"):
        Store(s3, "no-such-bucket").put_if_absent("x.json", b"")


def test_equal_values_give_equal_bytes() -> None:
    assert encode({"b": 1, "a": 2}) == encode({"a": 2, "b": 1})
    for number in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="JSON compliant"):
            encode({"score": number})


def test_put_if_absent_keeps_the_first(bucket: Store) -> None:
    assert bucket.put_if_absent("x", b"first")
    assert not bucket.put_if_absent("x", b"second")
    assert bucket.get("x") == b"first"


def test_replace_needs_what_was_read(bucket: Store) -> None:
    old = bucket.put("x", b"1")
    assert bucket.replace("x", b"2", old)
    assert not bucket.replace("x", b"3", old)
    assert bucket.get("x") == b"2"
    assert not bucket.replace("absent", b"1", old)
    assert bucket.keys("") == ["x"]


def test_a_lost_reply_is_no_lost_write(bucket: Store, s3: Any) -> None:
    s3.repeats = True
    assert bucket.put_if_absent("x", b"mine")
    assert bucket.replace("x", b"mine too", bucket.read("x").etag)
    assert not bucket.put_if_absent("x", b"other")
    assert bucket.get("x") == b"mine too"


def test_one_of_many_racers_wins(bucket: Store) -> None:
    def race(number: int) -> bool:
        return bucket.put_if_absent("x", str(number).encode())

    with ThreadPoolExecutor(8) as threads:
        won = list(threads.map(race, range(24)))
    assert sum(won) == 1
    assert bucket.get("x") == str(won.index(True)).encode()


def test_no_increment_is_lost(bucket: Store) -> None:
    bucket.put_json("count", [])

    def append(number: int) -> None:
        while True:
            stored = bucket.read("count")
            if bucket.replace("count", encode([*json.loads(stored.content), number]), stored.etag):
                return

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(append, range(18)))
    assert sorted(bucket.get_json("count")) == list(range(18))


def test_listings_are_in_order_over_every_page(bucket: Store) -> None:
    for number in range(1005):
        bucket.put(f"many/{number:04d}", b"xy")
    bucket.put("other/0", b"")
    listed = bucket.objects("many/")
    assert [item.key for item in listed] == [f"many/{number:04d}" for number in range(1005)]
    assert listed[0].size == 2
    assert listed[0].etag == bucket.read("many/0000").etag.strip('"')
    assert bucket.keys("many/", after="many/1002") == ["many/1003", "many/1004"]
    assert bucket.keys("nothing/") == []


def test_update_begins_with_nothing_and_goes_on_with_what_is_stored(bucket: Store) -> None:
    def more(stored: Any) -> Any:
        return {"count": (stored or {"count": 0})["count"] + 1}

    assert [bucket.update("counter.json", more)["count"] for _ in range(3)] == [1, 2, 3]
    assert bucket.get_json("counter.json") == {"count": 3}


def test_update_leaves_the_object_where_there_is_nothing_to_change(bucket: Store, s3: Any) -> None:
    bucket.put_json("state.json", {"tick": 1})
    calls: list[str] = []
    s3.after = calls.append
    assert bucket.update("state.json", lambda stored: None) == {"tick": 1}
    assert bucket.update("state.json", lambda stored: {"tick": 1}) == {"tick": 1}
    assert calls == ["get_object", "get_object"]


def test_update_applies_the_change_to_what_another_wrote_meanwhile(bucket: Store, s3: Any) -> None:
    bucket.put_json("names.json", ["first"])

    def interfere(name: str) -> None:
        s3.after = lambda name: None
        bucket.put_json("names.json", ["first", "rival"])

    s3.after = interfere
    assert bucket.update("names.json", lambda names: [*names, "ours"]) == ["first", "rival", "ours"]
    assert bucket.get_json("names.json") == ["first", "rival", "ours"]


def test_update_that_lost_only_its_reply_is_not_made_twice(bucket: Store, s3: Any) -> None:
    s3.repeats = True
    bucket.update("names.json", lambda names: [*(names or []), "ours"])
    bucket.update("names.json", lambda names: [*(names or []), "again"])
    assert bucket.get_json("names.json") == ["ours", "again"]


def test_update_gives_up_where_others_never_rest(bucket: Store, s3: Any) -> None:
    bucket.put_json("busy.json", {"by": 0})
    others = 0

    def disturb(name: str) -> None:
        nonlocal others
        if name == "get_object":
            others += 1
            bucket.put_json("busy.json", {"by": others})

    s3.after = disturb
    with pytest.raises(ContentionError, match=r"'busy\.json' kept changing"):
        bucket.update("busy.json", lambda stored: {"by": "us"}, attempts=range(3))
    s3.after = lambda name: None
    assert others >= 3
    assert bucket.get_json("busy.json") == {"by": others}


def test_update_by_many_at_once_loses_nothing(bucket: Store) -> None:
    with ThreadPoolExecutor(4) as threads:
        list(
            threads.map(
                lambda name: bucket.update("all.json", lambda stored: [*(stored or []), name]),
                range(12),
            )
        )
    assert sorted(bucket.get_json("all.json")) == list(range(12))


def test_objects_are_read_side_by_side_in_the_order_asked_for(bucket: Store) -> None:
    for number in range(30):
        bucket.put_json(f"many/{number}.json", number)
    keys = [f"many/{number}.json" for number in range(31)]
    assert bucket.get_all_json(keys, None) == [*range(30), None]
    with pytest.raises(MissingObjectError):
        bucket.get_all_json(keys)
