"""The process that imports a layer set once, before any function's variables are known."""

import json
import time
from pathlib import Path

from infra.local.awslambda.layer_set import LayerSet
from infra.local.awslambda.zygote import Zygote

RECORDER = """
import json, os
with open(os.path.join(os.path.dirname(__file__), "seen.partial"), "w") as file:
    json.dump(dict(os.environ), file)
os.rename(file.name, os.path.join(os.path.dirname(__file__), "seen.json"))
"""
PATIENCE = 30  # seconds


def test_libraries_read_their_variables_when_they_are_loaded(tmp_path: Path) -> None:
    """GIVEN a layer imported once THEN telemetry is off and threads sleep there already."""
    layer = tmp_path / "layer"
    (layer / "python").mkdir(parents=True)
    (layer / "python" / "recorder.py").write_text(RECORDER)
    (layer / "preload.txt").write_text("recorder\n")
    zygote = Zygote(LayerSet((layer,), None), tmp_path / "zygote.log")
    try:
        seen = _written(layer / "python" / "seen.json")
    finally:
        zygote.close()
    assert seen["ORT_DISABLE_TELEMETRY"] == "1"
    assert seen["OMP_WAIT_POLICY"] == "PASSIVE"


def _written(file: Path) -> dict[str, str]:
    deadline = time.monotonic() + PATIENCE
    while not file.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    found: dict[str, str] = json.loads(file.read_text())
    return found
