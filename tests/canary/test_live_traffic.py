"""Challengers under live traffic: bad ones go within one look, good ones come, nobody is harmed.

Each test trains a real challenger that beats the champion, and alters its artifact while a person
is asked; so nothing but the replay and the canary can tell.
"""

import json
import math

import pytest

from noria.aws.model_registry import Registry
from noria.aws.s3 import Store
from tests.canary.conftest import BETWEEN
from tests.canary.traffic import Traffic, alias_weights, live_traffic, live_version, rows_of
from tests.e2e.stack import Ended, Stack
from tests.support.data_sets import cancer
from tests.support.trapped_model import ALWAYS, LIMIT, Trap, trapped

pytestmark = pytest.mark.slow
SHARE = 0.3
FRAME = cancer()["biopsies"].drop(columns=["patient", "malignant"])


def challenger(stack: Stack) -> tuple[Ended, str]:
    """A run that waits for approval, and the version that it trained."""
    waiting = stack.run()
    assert waiting.ending == "AwaitApproval", waiting.reasons
    return waiting, waiting_version(stack, waiting)


def waiting_version(stack: Stack, waiting: Ended) -> str:
    counted = stack.json("registry/versions.json")
    return next(name for name, one in counted.items() if one["run_id"] == waiting.name)


def alter(stack: Stack, version: str, field: str, trap: Trap, limit: float = LIMIT) -> None:
    """Put a trap into a version's artifact, and its checksum into the manifest."""
    store = Store(stack.cloud.client("s3"), stack.bucket)
    content = trapped(store.get(f"models/{version}/model.onnx"), field, trap, limit)
    manifest = store.get_json(f"models/{version}/manifest.json")["sha256"]
    Registry(store).write_version(version, {"model.onnx": content}, manifest)


def approve(stack: Stack, waiting: Ended, **more: float) -> tuple[Ended, Traffic]:
    """Let the run go on, with callers who ask all the while, of `more` after the replay."""
    usual, new = rows_of(FRAME), rows_of(FRAME, **more)
    with live_traffic(stack, waiting.name, usual, new) as seen:
        stack.answer(waiting, decision="approve")
        ended = stack.follow(waiting.arn)
    return ended, seen


def assert_rolled_back(stack: Stack, ended: Ended, before: tuple[str, bytes]) -> None:
    """The run ended in RollBack, all traffic is the champion's, and it answers everybody."""
    assert ended.ending == "RollBack", ended.reasons
    assert (live_version(stack), stack.champion()) == before
    assert alias_weights(stack.cloud.client("lambda"), stack) == {}
    champion = json.loads(stack.champion())["version"]
    answers = [stack.ask("POST", "/predict", row) for row in rows_of(FRAME)[:30]]
    assert {(one.status, one.json()["model"]) for one in answers} == {(200, champion)}


def state_of(stack: Stack) -> tuple[str, bytes]:
    return live_version(stack), stack.champion()


def assert_share(seen: Traffic, count: int) -> None:
    """The alias never gave more than its share, and callers got no more than chance explains."""
    assert seen.shares <= {SHARE}
    asked = len(seen.answers)
    assert asked > 20
    assert count <= asked * SHARE + 4 * math.sqrt(asked * SHARE * (1 - SHARE))


def test_a_corrupted_model_gets_no_traffic(biopsies: Stack) -> None:
    """GIVEN an artifact that its checksum refuses THEN every replayed request says so."""
    before = state_of(biopsies)
    waiting, version = challenger(biopsies)
    biopsies.put(f"models/{version}/model.onnx", b"corrupted")
    ended, seen = approve(biopsies, waiting)
    assert_rolled_back(biopsies, ended, before)
    assert "does not match its checksum" in ended.reasons
    assert ended.decision("ReplayRequests")["decision"] == "failed"
    assert not [one for one in ended.record["verdicts"] if one["state"] == "CheckCanary"]
    assert seen.statuses == {200}
    assert seen.of(version) == 0


def test_a_model_that_answers_all_rows_alike_gets_no_traffic(biopsies: Stack) -> None:
    """GIVEN an artifact that was altered with its checksum THEN the holdout tells it."""
    before = state_of(biopsies)
    waiting, version = challenger(biopsies)
    alter(biopsies, version, "mean_area", "constant", ALWAYS)
    ended, seen = approve(biopsies, waiting)
    assert_rolled_back(biopsies, ended, before)
    assert "of the holdout are answered otherwise than they were judged" in ended.reasons
    assert seen.statuses == {200}
    assert seen.of(version) == 0


def test_a_challenger_that_raises_goes_within_one_look(biopsies: Stack) -> None:
    """GIVEN a fault that only new requests reveal THEN the first minute ends it."""
    before = state_of(biopsies)
    waiting, version = challenger(biopsies)
    alter(biopsies, version, "mean_area", "raises")
    ended, seen = approve(biopsies, waiting, mean_area=10 * LIMIT)
    assert_rolled_back(biopsies, ended, before)
    assert ended.decision("ReplayRequests")["decision"] == "passed"
    assert ended.decision("CheckCanary")["evidence"]["seconds"] == 60
    assert "of the canary's" in ended.reasons
    assert "failed" in ended.reasons
    assert_share(seen, seen.failed)
    assert seen.failed > 0
    assert seen.of(version) == 0


def test_a_slow_challenger_goes_within_one_look(
    biopsies: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(biopsies.cloud, "wait_cap", 3 * BETWEEN)  # for enough of its answers
    before = state_of(biopsies)
    waiting, version = challenger(biopsies)
    alter(biopsies, version, "mean_perimeter", "slow")
    ended, seen = approve(biopsies, waiting, mean_perimeter=10 * LIMIT)
    assert_rolled_back(biopsies, ended, before)
    assert ended.decision("CheckCanary")["evidence"]["seconds"] == 60
    assert "the canary's 95th percentile is" in ended.reasons
    assert seen.statuses == {200}
    assert_share(seen, seen.of(version))


def test_a_challenger_that_answers_a_constant_goes_within_one_look(biopsies: Stack) -> None:
    before = state_of(biopsies)
    waiting, version = challenger(biopsies)
    alter(biopsies, version, "mean_texture", "constant")
    ended, seen = approve(biopsies, waiting, mean_texture=10 * LIMIT)
    assert_rolled_back(biopsies, ended, before)
    assert ended.decision("CheckCanary")["evidence"]["seconds"] == 60
    assert "answers of the canary are 0.5" in ended.reasons
    assert seen.statuses == {200}
    assert_share(seen, seen.of(version))


def test_a_good_challenger_is_promoted_by_its_live_traffic(biopsies: Stack) -> None:
    waiting, version = challenger(biopsies)
    ended, seen = approve(biopsies, waiting)
    assert ended.ending == "Promote", ended.reasons
    assert json.loads(biopsies.champion())["version"] == version
    assert seen.statuses == {200}
    checked, replayed = (ended.decision(one) for one in ("CheckCanary", "ReplayRequests"))
    assert checked["evidence"]["new"]["requests"] >= 40
    assert checked["evidence"]["new"]["failed"] == 0
    assert any("population stability index of both versions" in one for one in checked["reasons"])
    assert replayed["evidence"]["asked"] == "logged requests"
    assert replayed["evidence"]["changed"] is not None
    assert any("of the decisions are others than version" in one for one in replayed["reasons"])


def test_a_shadow_is_asked_copies_and_answers_nobody(shadowed: Stack) -> None:
    """GIVEN a challenger with a fault THEN copies of live requests tell, and no caller sees it."""
    before = state_of(shadowed)
    waiting, version = challenger(shadowed)
    alter(shadowed, version, "mean_area", "raises")
    ended, seen = approve(shadowed, waiting, mean_area=10 * LIMIT)
    assert_rolled_back(shadowed, ended, before)
    assert "of the canary's" in ended.reasons
    assert "failed" in ended.reasons
    assert seen.shares == set()
    assert seen.of(version) == 0
    assert seen.statuses == {200}


def test_a_good_shadow_is_promoted(shadowed: Stack) -> None:
    waiting, version = challenger(shadowed)
    ended, seen = approve(shadowed, waiting)
    assert ended.ending == "Promote", ended.reasons
    evidence = ended.decision("CheckCanary")["evidence"]
    assert evidence["new"]["requests"] >= 40
    assert evidence["new"]["failed"] == 0
    assert seen.shares == set()
    assert seen.statuses == {200}
    assert json.loads(shadowed.champion())["version"] == version
