"""The model registry."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from noria.aws.model_registry import CHAMPION, Champion, Registry
from noria.aws.s3 import Store
from noria.errors import RegistryError

NOW = datetime(2026, 11, 24, tzinfo=UTC)
FILES = {
    "model.onnx": b"\x08\x01", "signature.json": b'{"problem": "p"}', "reference.json": b"{}",
    "model_card.html": b"<html>",
}  # fmt: skip


def champion(version: str = "run-1-1") -> Champion:
    return Champion(
        version=version, run_id=version.rpartition("-")[0], as_of=NOW, function_version="7",
        metric="roc_auc", metrics={"roc_auc": 0.7}, training_rows=10, promoted_at=NOW,
    )  # fmt: skip


@pytest.fixture
def registry(bucket: Store) -> Registry:
    return Registry(bucket)


def test_versions_are_counted_and_named_once(registry: Registry, bucket: Store) -> None:
    """GIVEN a stage that is delivered twice THEN its model keeps its name; others get the next."""
    assert registry.trained_by("v1") is None
    named = [registry.name_version(run, turn) for run, turn in (("a", 1), ("a", 2), ("a", 1))]
    assert named == ["v1", "v2", "v1"]
    assert registry.trained_by("v2") == ("a", 2)


def test_racing_runs_never_share_a_version(registry: Registry) -> None:
    with ThreadPoolExecutor(4) as threads:
        named = list(threads.map(lambda n: registry.name_version(f"run-{n}", 1), range(12)))
    assert sorted(named, key=lambda name: int(name[1:])) == [f"v{n}" for n in range(1, 13)]
    assert registry.trained_by(named[5]) == ("run-5", 1)


def test_a_lost_count_takes_no_model_that_is_left(registry: Registry, bucket: Store) -> None:
    for name in ("v9", "v10", "imported"):
        registry.write_version(name, FILES)
    assert registry.versions() == ["imported", "v9", "v10"]
    assert registry.name_version("a", 1) == "v11"


def test_a_champion_is_promoted_and_remembered(registry: Registry, bucket: Store) -> None:
    assert registry.champion() is None
    registry.promote(champion())
    registry.promote(champion("run-2-1"))
    registry.promote(champion("run-2-1"))
    assert registry.champion() == champion("run-2-1")
    assert bucket.keys("registry/history/") == [
        "registry/history/run-1-1.json", "registry/history/run-2-1.json",
    ]  # fmt: skip


def test_a_lost_reply_promotes_once(registry: Registry, s3: Any) -> None:
    s3.repeats = True
    registry.promote(champion())
    registry.promote(champion("run-2-1"))
    assert registry.champion() == champion("run-2-1")


def test_a_promotion_in_between_is_told(registry: Registry, bucket: Store, s3: Any) -> None:
    registry.promote(champion())

    def interfere(name: str) -> None:
        s3.after = lambda name: None
        Registry(bucket).promote(champion("rival-1"))

    s3.after = interfere
    with pytest.raises(RegistryError, match="while version 'run-2-1' was being promoted; start"):
        registry.promote(champion("run-2-1"))
    assert registry.champion() == champion("rival-1")
    assert "registry/history/run-2-1.json" not in bucket.keys("registry/")


def test_of_the_first_racers_one_becomes_champion(registry: Registry, bucket: Store) -> None:
    def race(number: int) -> bool:
        try:
            registry.promote(champion(f"run-{number}"))
        except RegistryError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        won = list(threads.map(race, range(16)))
    remembered = bucket.keys("registry/history/")
    assert sum(won) == len(remembered) >= 1
    serving = registry.champion()
    assert serving is not None
    assert f"registry/history/{serving.version}.json" in remembered


def test_a_version_is_read_as_written(registry: Registry, bucket: Store) -> None:
    checksums = registry.write_version("run-1-1", FILES)
    assert set(checksums) == set(FILES)
    assert registry.model("run-1-1") == (b"\x08\x01", {"problem": "p"})
    assert registry.reference("run-1-1") == {}
    assert registry.file("run-1-1", "model_card.html") == b"<html>"
    before = [(o.key, o.etag) for o in bucket.objects("models/")]
    assert registry.write_version("run-1-1", FILES) == checksums
    assert [(o.key, o.etag) for o in bucket.objects("models/")] == before


def test_the_manifest_comes_last(bucket: Store, s3: Any) -> None:
    written: list[list[str]] = []

    def note(name: str) -> None:
        if name == "put_object":
            s3.after, noting = (lambda name: None), s3.after
            written.append(bucket.keys("models/"))
            s3.after = noting

    s3.after = note
    Registry(bucket).write_version("run-1-1", FILES)
    manifest = "models/run-1-1/manifest.json"
    assert [manifest in keys for keys in written] == [False] * len(FILES) + [True]


def drop(name: str) -> Callable[[Store], None]:
    return lambda bucket: bucket.delete(f"models/run-1-1/{name}")


def spoil(name: str, content: bytes) -> Callable[[Store], None]:
    def put(bucket: Store) -> None:
        bucket.put(f"models/run-1-1/{name}", content)

    return put


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (drop("manifest.json"), "'run-1-1' has no manifest.json; it was never completed"),
        (drop("model.onnx"), "has no model.onnx"),
        (spoil("model.onnx", b"\x08\x02"), "model.onnx of model version 'run-1-1' does not match"),
        (spoil("model.onnx", b""), "does not match its checksum; restore"),
        (spoil("manifest.json", b'{"sha256": {}}'), "does not match its checksum"),
    ],
)
def test_a_damaged_version_is_not_served(
    registry: Registry, bucket: Store, damage: Callable[[Store], None], told: str
) -> None:
    registry.write_version("run-1-1", FILES)
    damage(bucket)
    with pytest.raises(RegistryError, match=told):
        registry.model("run-1-1")


def test_a_version_that_never_was(registry: Registry) -> None:
    with pytest.raises(RegistryError, match=r"'nothing' has no model.onnx"):
        registry.model("nothing")


def test_the_pointer_is_one_object(registry: Registry, bucket: Store) -> None:
    registry.promote(champion())
    assert Champion.model_validate(bucket.get_json(CHAMPION)) == champion()


def test_what_was_judged_stays_beside_the_fit_on_all_rows(registry: Registry) -> None:
    judged = {"model.onnx": b"judged", "signature.json": b'{"rows": 80}', "lineage.json": b"{}"}
    final = {"model.onnx": b"final", "signature.json": b'{"rows": 100}'}
    registry.write_version("v1", judged)
    assert registry.judged_model("v1") == registry.model("v1") == (b"judged", {"rows": 80})
    checksums = registry.adopt_final_fit("v1", final)
    assert registry.model("v1") == (b"final", {"rows": 100})
    assert registry.judged_model("v1") == (b"judged", {"rows": 80})
    assert registry.file("v1", "lineage.json") == b"{}"
    assert registry.adopt_final_fit("v1", final) == checksums


def test_an_adoption_that_broke_off_is_completed(registry: Registry, bucket: Store) -> None:
    """GIVEN a delivery that ended before the manifest was written WHEN it comes again THEN done."""
    registry.write_version("v1", {"model.onnx": b"judged", "signature.json": b"{}"})
    registry.adopt_final_fit("v1", {"model.onnx": b"half", "signature.json": b"{}"})
    bucket.put("models/v1/model.onnx", b"final")
    for damaged in (registry.model, registry.judged_model):
        with pytest.raises(RegistryError, match="does not match its checksum"):
            damaged("v1")
    registry.adopt_final_fit("v1", {"model.onnx": b"final", "signature.json": b"{}"})
    assert registry.model("v1") == (b"final", {})
    assert registry.judged_model("v1") == (b"judged", {})
