"""Several local clouds in one checkout: each has a file, and only its own process takes it away."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from infra.cli import deployed_stack
from infra.cli.errors import UsageMistakeError, with_local_name
from infra.cli.local_clouds import CloudNameError, names_up, read_cloud, refuse_second, write_cloud
from infra.cli.main import app


@pytest.fixture
def usual(tmp_path: Path) -> Path:
    return tmp_path / ".noria" / "local.json"


def dead_process() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    return ended.pid


def test_clouds_are_told_apart_by_name(usual: Path) -> None:
    assert write_cloud("default", usual, {"region": "a"}) == usual
    write_cloud("second", usual, {"region": "b"})
    assert names_up(usual) == ["default", "second"]
    assert read_cloud("default", usual)["region"] == "a"
    assert read_cloud("second", usual)["region"] == "b"
    with pytest.raises(CloudNameError, match=r"'third' is up; .*--local default, --local second"):
        read_cloud("third", usual)


def test_a_name_is_taken_once(usual: Path) -> None:
    write_cloud("default", usual, {})
    with pytest.raises(CloudNameError, match=r"up already.*--name NAME"):
        refuse_second("default", usual)
    with pytest.raises(CloudNameError, match="up already"):
        write_cloud("default", usual, {"region": "another"})
    assert "region" not in read_cloud("default", usual)
    with pytest.raises(UsageMistakeError, match="lower case"):
        refuse_second("../x", usual)


def test_what_a_dead_process_left_is_not_up(usual: Path) -> None:
    file = write_cloud("default", usual, {})
    file.write_text(json.dumps({"process": dead_process()}))
    with pytest.raises(CloudNameError, match="no local cloud is up: start one"):
        read_cloud("default", usual)
    refuse_second("default", usual)
    write_cloud("default", usual, {"region": "new"})
    assert read_cloud("default", usual)["region"] == "new"


def test_local_may_stand_without_a_name() -> None:
    clouds = ["default", "second"]
    assert with_local_name(["runs", "wine", "--local"], clouds) == [
        "runs",
        "wine",
        "--local",
        "default",
    ]
    option = ["--local", "default"]
    assert with_local_name(["run", "--local", "--json"], clouds) == ["run", *option, "--json"]
    described = with_local_name(["describe", "--local", "features"], clouds)
    assert described == ["describe", *option, "features"]
    named = ["run", "wine", "--local", "second", "--json"]
    assert with_local_name(named, clouds) == named
    assert with_local_name(["local", "up"], clouds) == ["local", "up"]


@pytest.mark.parametrize("options", [["--local"], ["--local", "second"], ["--local=second"]])
def test_commands_choose_the_cloud(
    usual: Path, options: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deployed_stack, "LOCAL_FILE", usual)
    write_cloud("default", usual, {"stacks": {"in-default": {}}})
    write_cloud("second", usual, {"stacks": {"in-second": {}}})
    result = CliRunner().invoke(app, ["runs", "wine", *options])
    cloud = "second" if len(options) > 1 or "=" in options[0] else "default"
    assert (result.exit_code, f"it has in-{cloud}" in result.output) == (2, True)
