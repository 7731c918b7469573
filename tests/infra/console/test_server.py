"""`noria console` itself: where it listens, and what it says when it cannot."""

import json
from pathlib import Path

import pytest

from infra.cli import deployed_stack
from infra.console.server import HOST, listening
from tests.infra.cli.stack import noria


def test_only_this_machine_reaches_it() -> None:
    with listening(0) as listener:
        assert listener.getsockname()[0] == HOST == "127.0.0.1"


def test_a_port_that_is_taken_is_a_mistake_with_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "local.json"
    file.write_text(json.dumps({"stacks": {}}))
    monkeypatch.setattr(deployed_stack, "LOCAL_FILE", file)
    with listening(0) as listener:
        port = str(listener.getsockname()[1])
        done = noria("console", "--local", "--no-browser", "--port", port)
    assert done.exit_code == 2
    assert f"--port {port} cannot be taken" in done.stderr
    assert "0 for any" in done.stderr


def test_a_stack_or_cloud_that_is_not_there_is_told_before_it_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deployed_stack, "LOCAL_FILE", tmp_path / "local.json")
    done = noria("console", "--local", "--no-browser")
    assert done.exit_code == 1
    assert "no local cloud is up" in done.stderr
    (tmp_path / "local.json").write_text(json.dumps({"stacks": {"wine": {}}}))
    unknown = noria("console", "walrus", "--local", "--no-browser")
    assert unknown.exit_code == 2
    assert "no stack 'walrus'; it has wine" in unknown.stderr
